//! What a member of a log's record means, found by its name.

use std::sync::LazyLock;

use hashbrown::HashTable;

use super::names::{RECORD, REQUEST, RESPONSE};
use super::program::Mark;
use super::time::Unit;
use crate::record::Field;

/// Which message of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Request,
    Response,
}

/// What a known member means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Member {
    /// The value is the field's.
    Text(Field),
    /// An absolute URL or a path, with or without a query.
    Url,
    /// A query string that may begin with `?`.
    QueryString,
    /// An address that may end in a port.
    ClientAddress,
    /// Where a log line was written: the instance, not the host that was called.
    Hostname,
    /// `GET /a HTTP/1.1`.
    RequestLine,
    /// When it happened; the lowest number wins.
    Time(u8),
    /// When the response ended, for sources that give no duration.
    TimeEnd,
    /// How long it took; without a unit the program's own.
    Duration(Option<Unit>),
    Level,
    Status,
    Kind,
    Source,
    Overridden,
    Redacted,
    Id,
    Seq,
    /// An object whose members are attributes.
    Attributes,
    /// An object of members of its own, or a body or request line.
    Nested(Side),
    /// An object whose members count as the record's own.
    Flat,
    Headers(Side),
    Body(Side),
    /// Bytes of a body on the wire.
    Size(Side),
    /// The name of the logger or service, depending on the program.
    Name,
    /// Bytes sent, where the record is an exchange.
    Bytes,
    /// Says which program wrote the record, and is kept as an attribute.
    Sign(Mark),
    /// Both a sign of a program and a member.
    Signed(Mark, &'static Member),
}

/// Where a member stands, because the same name means different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    Record,
    Inside(Side),
}

impl Member {
    /// What `name` means in `scope`; names in snake case are also known in camel, Pascal and kebab case.
    pub(super) fn find(scope: Scope, name: &str) -> Option<Self> {
        static OF_RECORD: LazyLock<Index> = LazyLock::new(|| Index::new(RECORD));
        static OF_REQUEST: LazyLock<Index> = LazyLock::new(|| Index::new(REQUEST));
        static OF_RESPONSE: LazyLock<Index> = LazyLock::new(|| Index::new(RESPONSE));
        let names = match scope {
            Scope::Record => &OF_RECORD,
            Scope::Inside(Side::Request) => &OF_REQUEST,
            Scope::Inside(Side::Response) => &OF_RESPONSE,
        };
        names.find(name)
    }
}

struct Index(HashTable<(String, Member)>);

impl Index {
    fn new(names: &[(&str, Member)]) -> Self {
        let mut index = Self(HashTable::new());
        for (name, member) in names {
            index.add((*name).to_owned(), *member);
        }
        for (name, member) in names {
            for spelling in spellings(name) {
                index.add(spelling, *member);
            }
        }
        index
    }

    /// Adds a name unless it is known; a name that is written out goes before a derived spelling.
    fn add(&mut self, name: String, member: Member) {
        if self.find(&name).is_none() {
            self.0.insert_unique(hash(&name), (name, member), |(name, _)| hash(name));
        }
    }

    fn find(&self, name: &str) -> Option<Member> {
        self.0.find(hash(name), |(known, _)| known == name).map(|(_, member)| *member)
    }
}

/// A hash of a name's length, beginning and end: each member of each line is looked up.
fn hash(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let (head, tail) = match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(head), Some(tail)) => (u64::from_le_bytes(*head), u64::from_le_bytes(*tail)),
        _ => match (bytes.first_chunk(), bytes.last_chunk()) {
            (Some(head), Some(tail)) => (u32::from_le_bytes(*head).into(), u32::from_le_bytes(*tail).into()),
            _ => (bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0),
        },
    };
    let mixed = (head ^ tail.rotate_left(23) ^ bytes.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    // tables go by the lowest and the highest bits
    mixed ^ mixed >> 32
}

fn spellings(name: &str) -> Vec<String> {
    if !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
        return Vec::new();
    }
    let pascal: String = name.split('_').map(|word| word[..1].to_ascii_uppercase() + &word[1..]).collect();
    let camel = name[..1].to_owned() + &pascal[1..];
    vec![camel, pascal, name.replace('_', "-")]
}

#[cfg(test)]
mod tests {
    use super::*;
    use Field as F;
    use Member as M;

    #[test]
    fn a_name_is_known_in_every_spelling_and_a_programs_own_goes_first() {
        let find = |name| Member::find(Scope::Record, name);
        for name in ["status_code", "statusCode", "StatusCode", "status-code"] {
            assert_eq!(find(name), Some(M::Status), "{name}");
        }
        assert_eq!(find("RequestHost"), Some(M::Text(F::Host)));
        assert_eq!(find("DownstreamStatus"), Some(M::Signed(Mark::Traefik, &M::Status)));
        assert_eq!(find("anything"), None);
        assert_eq!(Member::find(Scope::Inside(Side::Request), "id"), Some(M::Text(F::RequestId)));
    }

    #[test]
    fn every_field_of_the_wire_is_a_member() {
        for field in Field::ALL {
            assert_eq!(Member::find(Scope::Record, field.name()), Some(M::Text(*field)));
        }
    }
}
