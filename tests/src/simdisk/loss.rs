//! What a power failure takes.

/// What of the unsynced changes a power failure takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// All of them.
    Unsynced,
    /// A random part, as a disk with a write cache may: of each unsynced write all sectors, some or none survive,
    /// independently of other writes; of truncations some; of directory operations the first so many.
    Torn {
        /// Equal seeds lose equal parts of equal disks.
        seed: u64,
        /// Bytes that are written whole or not at all, at multiples of as many.
        sector: u64,
    },
}

/// Draws what survives; `SplitMix64` (Steele, Lea, Flood 2014), so that a seed means the same for ever.
#[derive(Debug)]
pub(super) struct Fate {
    state: u64,
}

/// What survives of one write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Survival {
    None,
    All,
    /// A coin is thrown for each sector.
    Sectors,
}

impl Fate {
    pub(super) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A number below `bound`, which is not 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    pub(super) fn coin(&mut self) -> bool {
        self.below(2) == 1
    }

    pub(super) fn survival(&mut self) -> Survival {
        match self.below(4) {
            0 => Survival::None,
            1 => Survival::All,
            _ => Survival::Sectors,
        }
    }
}
