//! Header fields of one message in one allocation.

/// Header fields in the order captured, names in lower case, repeats kept.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers {
    text: String,
    // the end of each name and each value in turn
    ends: Vec<u32>,
}

// what room is made for at first, in fields and bytes of each
const FIELDS: usize = 4;
const FIELD: usize = 64;

impl Headers {
    /// Appends a field; the name is lower-cased.
    pub fn push(&mut self, name: &str, value: &str) {
        if self.ends.is_empty() {
            // a message has several fields: growing from nothing costs more than they do
            self.text.reserve(FIELDS * (name.len() + value.len()).min(FIELD));
            self.ends.reserve(2 * FIELDS);
        }
        let start = self.text.len();
        self.text.push_str(name);
        self.text[start..].make_ascii_lowercase();
        self.ends.push(self.text.len() as u32);
        self.text.push_str(value);
        self.ends.push(self.text.len() as u32);
    }

    /// The fields, name and value, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut start = 0;
        self.ends.chunks_exact(2).map(move |pair| {
            let (name, value) = (pair[0] as usize, pair[1] as usize);
            let item = (&self.text[start..name], &self.text[name..value]);
            start = value;
            item
        })
    }

    /// The first value of `name`, which is given in lower case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// Every value of `name`, which is given in lower case.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.iter().filter(move |(key, _)| *key == name).map(|(_, value)| value)
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.ends.len() / 2
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

impl std::fmt::Debug for Headers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Headers {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(fields: I) -> Self {
        let mut headers = Self::default();
        for (name, value) in fields {
            headers.push(name, value);
        }
        headers
    }
}
