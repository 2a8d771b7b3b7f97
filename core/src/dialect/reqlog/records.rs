//! Rows of a list as a JSON array, whole or projected to some members.

use super::parameters::FIELDS;
use crate::dialect::params::Params;
use crate::export::json::{Fields, Shape, write};
use crate::record::Stored;

/// What a row of the list shows.
pub(super) fn shape(params: &Params) -> Shape {
    let named = params.words(&FIELDS).map(|names| names.join(","));
    // the table admits no name that the writer does not know
    let fields = named.and_then(|names| Fields::parse(&names).ok()).unwrap_or(Fields::ALL);
    Shape { fields, ..Shape::LIST }
}

/// A JSON array of rows.
pub(super) fn array(rows: &[Stored], shape: Shape, out: &mut Vec<u8>) {
    out.push(b'[');
    for (at, row) in rows.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write(row, shape, out);
    }
    out.push(b']');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::params::Shape as Takes;

    #[test]
    fn the_table_and_the_writer_know_the_same_members() {
        let Takes::Words(names) = FIELDS.shape else { panic!("fields is a list of words") };
        for name in names {
            assert!(Fields::parse(name).is_ok(), "{name}");
        }
    }
}
