//! Severity of a record.

/// Severity, least severe first; fixed at ingestion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// Finer than debug.
    Trace = 1,
    /// For developers.
    Debug = 2,
    /// Normal operation.
    Info = 3,
    /// Unusual; a 4xx without a level of its own.
    Warn = 4,
    /// Failed; every exchange of status 500 and above is at least this.
    Error = 5,
    /// The process cannot go on.
    Fatal = 6,
}

impl Level {
    /// Every level, least severe first.
    pub const ALL: [Self; 6] = [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error, Self::Fatal];

    /// The name in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }

    /// Reads a level's name as loggers spell them (`warning`, `err`, `critical`, `notice`, …); case is ignored.
    pub fn parse(name: &str) -> Option<Self> {
        let mut lower = [0u8; 16];
        let bytes = name.trim().as_bytes();
        let lower = lower.get_mut(..bytes.len())?;
        lower.copy_from_slice(bytes);
        lower.make_ascii_lowercase();
        Some(match &*lower {
            b"trace" | b"verbose" | b"finest" | b"finer" | b"trc" => Self::Trace,
            b"debug" | b"fine" | b"dbg" | b"debug1" | b"debug2" | b"debug3" | b"debug4" | b"debug5" => Self::Debug,
            b"info" | b"information" | b"informational" | b"notice" | b"log" | b"inf" | b"config" | b"stats" => {
                Self::Info
            }
            b"warn" | b"warning" | b"wrn" => Self::Warn,
            b"error" | b"err" | b"eror" | b"severe" => Self::Error,
            b"fatal" | b"critical" | b"crit" | b"alert" | b"emerg" | b"emergency" | b"panic" | b"dpanic" => Self::Fatal,
            _ => return None,
        })
    }

    /// The level of the stored number.
    pub fn from_stored(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|level| *level as u8 == number)
    }

    /// The level a record gets at ingestion: a status of 500 and above is at least an error; without a `given` level 4xx warns.
    pub fn at_ingestion(given: Option<Self>, status: Option<u16>) -> Self {
        let derived = match status {
            Some(500..) => Self::Error,
            Some(400..) if given.is_none() => Self::Warn,
            _ => Self::Info,
        };
        match (given, status) {
            (Some(given), Some(500..)) => given.max(Self::Error),
            (Some(given), _) => given,
            (None, _) => derived,
        }
    }
}
