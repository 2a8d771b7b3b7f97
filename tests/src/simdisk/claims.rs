//! Who holds which file; the locks of `SQLite` and of a data directory, which end with the power.

use super::Ino;
use std::collections::HashMap;

/// How strongly a file is held; `SQLite`'s five states, of which programs see four.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claim {
    /// Not at all.
    #[default]
    None,
    /// Reading, beside other readers.
    Shared,
    /// Reading, and the next to write.
    Reserved,
    /// Waiting for readers to leave, and letting no new one in.
    Pending,
    /// Alone.
    Exclusive,
}

/// One holder of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Holder(pub(super) u64);

#[derive(Debug, Default)]
pub(super) struct Claims {
    held: HashMap<Ino, HashMap<Holder, Claim>>,
}

impl Claims {
    /// Raises a holder's claim; what it has afterwards, which is less than it wants when others are in the way.
    pub(super) fn raise(&mut self, file: Ino, holder: Holder, wanted: Claim) -> Claim {
        let strongest = self.strongest_other(file, holder);
        let claim = self.held.entry(file).or_default().entry(holder).or_default();
        *claim = match wanted {
            _ if *claim >= wanted => *claim,
            Claim::Shared if strongest < Claim::Pending => Claim::Shared,
            Claim::Reserved if strongest < Claim::Reserved => Claim::Reserved,
            Claim::Exclusive if strongest == Claim::None => Claim::Exclusive,
            Claim::Exclusive if strongest == Claim::Shared && *claim >= Claim::Shared => Claim::Pending,
            _ => *claim,
        };
        *claim
    }

    pub(super) fn lower(&mut self, file: Ino, holder: Holder, wanted: Claim) {
        let Some(holders) = self.held.get_mut(&file) else { return };
        if wanted == Claim::None {
            holders.remove(&holder);
        } else if let Some(claim) = holders.get_mut(&holder) {
            *claim = wanted.min(*claim);
        }
    }

    /// The strongest claim of anyone else.
    pub(super) fn strongest_other(&self, file: Ino, holder: Holder) -> Claim {
        let others = self.held.get(&file).into_iter().flatten().filter(|(other, _)| **other != holder);
        others.map(|(_, claim)| *claim).max().unwrap_or_default()
    }
}
