//! How much keys may ask a server for: flags over settings over the contracts of the dialects.

use super::Problem;
use super::settings::Settings;
use clap::Args;
use reqlog_core::limit::Limits;
use reqlog_core::settings::Given;

/// Of every key but admin keys.
#[derive(Args, Debug, Default)]
pub struct LimitFlags {
    /// Requests of a key to the FlowMock API, as 120/60s or 10/1s,burst=30, or off [default: 120/60s]
    #[arg(long, value_name = "RATE")]
    flowmock_rate: Option<String>,
    /// Requests of all keys together to the Scrip API [default: 10/1s,burst=30]
    #[arg(long, value_name = "RATE")]
    scrip_rate: Option<String>,
    /// Live streams that a key may have open at a time [default: 16]
    #[arg(long, value_name = "N")]
    streams_per_key: Option<usize>,
}

impl LimitFlags {
    /// The limits of a server.
    pub fn resolve(&self, settings: &Settings) -> Result<Limits, Problem> {
        let given = Given {
            flowmock_rate: self.flowmock_rate.clone().or_else(|| settings.flowmock_rate.clone()),
            scrip_rate: self.scrip_rate.clone().or_else(|| settings.scrip_rate.clone()),
            streams_per_key: self.streams_per_key.or(settings.streams_per_key),
            ..Given::default()
        };
        given.limits().map_err(Problem::Usage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqlog_core::limit::Rate;

    #[test]
    fn flags_win_over_settings_and_both_over_the_contracts() {
        let text = |text: &str| Some(text.to_owned());
        let settings = Settings {
            flowmock_rate: text("off"),
            scrip_rate: text("5/s"),
            streams_per_key: Some(2),
            ..Settings::default()
        };
        let none = LimitFlags::default();
        assert_eq!(none.resolve(&Settings::default()).unwrap(), Limits::default());
        let limits = none.resolve(&settings).unwrap();
        let rate = |text: &str| Rate::parse(text).unwrap();
        assert_eq!(limits, Limits { flowmock: None, scrip: rate("5/1s"), streams_per_key: 2 });
        let flags = LimitFlags { flowmock_rate: text("7/m"), scrip_rate: text("off"), streams_per_key: Some(3) };
        let limits = flags.resolve(&settings).unwrap();
        assert_eq!(limits, Limits { flowmock: rate("7/60s"), scrip: None, streams_per_key: 3 });
        assert!(LimitFlags { scrip_rate: text("fast"), ..LimitFlags::default() }.resolve(&settings).is_err());
    }
}
