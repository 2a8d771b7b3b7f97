//! Settings of a plan as an operator writes them: the same names and texts for every shell.
//!
//! A shell that has nothing but variables [reads](read) those. One that has more, such as flags and a file, puts
//! together what is [`Given`] from all of them, the first that says something winning.

use crate::auth::KeyHash;
use crate::limit::{Limits, Rate};
use crate::plan::{FanOut, Origins, Settings};
use std::str::FromStr;
use std::time::Duration;

/// What a shell with variables alone is set to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configured {
    /// What requests are planned against.
    pub plan: Settings,
    /// What replaced secrets are hashed with; without it, the store's own.
    pub redact_key: Option<[u8; 32]>,
}

/// Reads every setting from its variable; what is not set, or empty, has its default. Fails with what to write instead.
pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Configured, String> {
    let given = Given::of_variables(variable)?;
    let plan = Settings {
        base_path: given.base_path(),
        origins: given.origins()?,
        limits: given.limits()?,
        fan_out: given.fan_out(),
        ..Settings::default()
    };
    Ok(Configured { plan, redact_key: given.redact_key() })
}

/// What was said of the settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// `REQLOG_BASE_PATH`: the path that is put before every route, as `/logs`.
    pub base_path: Option<String>,
    /// `REQLOG_ORIGINS`: the web origins whose pages may call the API, with commas between them, or `*`.
    pub origins: Option<String>,
    /// `REQLOG_FLOWMOCK_RATE`: how often a key may ask the `FlowMock` API, as [`Rate::parse`] reads it.
    pub flowmock_rate: Option<String>,
    /// `REQLOG_SCRIP_RATE`: how often all keys may ask the Scrip API.
    pub scrip_rate: Option<String>,
    /// `REQLOG_STREAMS_PER_KEY`: how many live streams a key may have open.
    pub streams_per_key: Option<usize>,
    /// `REQLOG_REDACT_KEY`: what replaced secrets are hashed with, any text.
    pub redact_key: Option<String>,
    /// `LOGS_ADMIN_FANOUT`, which Hoody's documentation names: whether admin keys of the organisation get the rows of
    /// all projects as one stream, `true` or `false`.
    pub admin_fanout: Option<bool>,
    /// `REQLOG_FANOUT_AGE`: seconds after which the cursors of such a sweep expire.
    pub fanout_age: Option<u64>,
    /// `REQLOG_FANOUT_DEADLINE`: seconds after which one answer of it stops.
    pub fanout_deadline: Option<u64>,
}

impl Given {
    /// What variables say; an empty one says nothing. Fails where one is of another kind.
    pub fn of_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let text = |name: &str| variable(name).filter(|value| !value.is_empty());
        Ok(Self {
            base_path: text("REQLOG_BASE_PATH"),
            origins: text("REQLOG_ORIGINS"),
            flowmock_rate: text("REQLOG_FLOWMOCK_RATE"),
            scrip_rate: text("REQLOG_SCRIP_RATE"),
            streams_per_key: of_kind("REQLOG_STREAMS_PER_KEY", text("REQLOG_STREAMS_PER_KEY"), "a number")?,
            redact_key: text("REQLOG_REDACT_KEY"),
            admin_fanout: of_kind("LOGS_ADMIN_FANOUT", text("LOGS_ADMIN_FANOUT"), "true or false")?,
            fanout_age: of_kind("REQLOG_FANOUT_AGE", text("REQLOG_FANOUT_AGE"), "a number of seconds")?,
            fanout_deadline: of_kind("REQLOG_FANOUT_DEADLINE", text("REQLOG_FANOUT_DEADLINE"), "a number of seconds")?,
        })
    }

    /// The path before every route; none unless it is given.
    pub fn base_path(&self) -> String {
        self.base_path.as_deref().unwrap_or_default().trim_end_matches('/').to_owned()
    }

    /// Whose pages may call the API; only the server's own unless they are given.
    pub fn origins(&self) -> Result<Origins, String> {
        let Some(text) = self.origins.as_deref() else { return Ok(Origins::Own) };
        if text == "*" {
            return Ok(Origins::Any);
        }
        let origins = text.split(',').map(|origin| origin.trim().trim_end_matches('/'));
        let known = |origin: &str| {
            let host = origin.strip_prefix("https://").or(origin.strip_prefix("http://"));
            if host.is_some_and(|host| !host.is_empty() && !host.contains(['/', ' ', '?', '#'])) {
                return Ok(origin.to_owned());
            }
            Err(format!("'{origin}' is no web origin; write https://app.example.test, or * for all"))
        };
        origins.map(known).collect::<Result<_, _>>().map(Origins::Listed)
    }

    /// How much keys may ask for; what the contracts of the dialects say where nothing is given.
    pub fn limits(&self) -> Result<Limits, String> {
        let rate = |given: &Option<String>, contract| match given {
            Some(text) => Rate::parse(text.trim()).map_err(|error| error.to_string()),
            None => Ok(contract),
        };
        let contracts = Limits::default();
        Ok(Limits {
            flowmock: rate(&self.flowmock_rate, contracts.flowmock)?,
            scrip: rate(&self.scrip_rate, contracts.scrip)?,
            streams_per_key: self.streams_per_key.unwrap_or(contracts.streams_per_key),
        })
    }

    /// The sweep over all projects, if it is given that there is one.
    pub fn fan_out(&self) -> Option<FanOut> {
        let usual = FanOut::default();
        (self.admin_fanout == Some(true)).then(|| FanOut {
            cursor_age: self.fanout_age.map_or(usual.cursor_age, Duration::from_secs),
            deadline: self.fanout_deadline.map_or(usual.deadline, Duration::from_secs),
        })
    }

    /// The key of the given text.
    pub fn redact_key(&self) -> Option<[u8; 32]> {
        self.redact_key.as_deref().map(|text| KeyHash::of(text).0)
    }
}

fn of_kind<T: FromStr>(name: &str, value: Option<String>, accepted: &str) -> Result<Option<T>, String> {
    let read = |value: String| value.parse().map_err(|_| format!("{name} is '{value}'; it takes {accepted}"));
    value.map(read).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Configured, String> {
        read(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn every_variable_sets_what_it_names_and_nothing_else() {
        assert_eq!(of(&[]), Ok(Configured::default()));
        let usual = Settings::default();
        let rate = |text: &str| Rate::parse(text).unwrap();
        let limits = |change: fn(&mut Limits)| {
            let mut limits = usual.limits;
            change(&mut limits);
            Settings { limits, ..usual.clone() }
        };
        let listed = |origins: &[&str]| Origins::Listed(origins.iter().map(|&origin| origin.to_owned()).collect());
        for (name, value, plan) in [
            ("REQLOG_BASE_PATH", "/logs/", Settings { base_path: "/logs".to_owned(), ..usual.clone() }),
            ("REQLOG_ORIGINS", "*", Settings { origins: Origins::Any, ..usual.clone() }),
            (
                "REQLOG_ORIGINS",
                "https://a.example.test/, http://localhost:3000",
                Settings { origins: listed(&["https://a.example.test", "http://localhost:3000"]), ..usual.clone() },
            ),
            ("REQLOG_FLOWMOCK_RATE", "off", limits(|limits| limits.flowmock = None)),
            ("REQLOG_SCRIP_RATE", " off ", limits(|limits| limits.scrip = None)),
            ("REQLOG_STREAMS_PER_KEY", "3", limits(|limits| limits.streams_per_key = 3)),
            ("LOGS_ADMIN_FANOUT", "true", Settings { fan_out: Some(FanOut::default()), ..usual.clone() }),
            ("LOGS_ADMIN_FANOUT", "false", usual.clone()),
            // of nothing without the sweep
            ("REQLOG_FANOUT_AGE", "60", usual.clone()),
            ("REQLOG_FANOUT_DEADLINE", "60", usual.clone()),
            ("REQLOG_ORIGINS", "", usual.clone()),
            ("LOGS_ADMIN_FANOUT", "", usual.clone()),
        ] {
            assert_eq!(of(&[(name, value)]), Ok(Configured { plan, redact_key: None }), "{name}={value}");
        }
        let limits = of(&[("REQLOG_SCRIP_RATE", "5/s,burst=7")]).unwrap().plan.limits;
        assert_eq!(limits, Limits { scrip: rate("5/1s,burst=7"), ..Limits::default() });
        let sweep = [("LOGS_ADMIN_FANOUT", "true"), ("REQLOG_FANOUT_AGE", "60"), ("REQLOG_FANOUT_DEADLINE", "5")];
        let fan_out = FanOut { cursor_age: Duration::from_mins(1), deadline: Duration::from_secs(5) };
        assert_eq!(of(&sweep).unwrap().plan.fan_out, Some(fan_out));
        let redact_key = Some(KeyHash::of("pepper").0);
        assert_eq!(of(&[("REQLOG_REDACT_KEY", "pepper")]), Ok(Configured { redact_key, ..Configured::default() }));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_what_to_write() {
        for (name, value, told) in [
            ("REQLOG_ORIGINS", "a.example.test", "'a.example.test' is no web origin; write https://app.example.test"),
            ("REQLOG_ORIGINS", "*,https://a", "'*' is no web origin"),
            ("REQLOG_FLOWMOCK_RATE", "fast", "'fast' is no rate; write 120/60s"),
            ("REQLOG_SCRIP_RATE", "0/s", "'0/s' is no rate"),
            ("REQLOG_STREAMS_PER_KEY", "few", "REQLOG_STREAMS_PER_KEY is 'few'; it takes a number"),
            ("LOGS_ADMIN_FANOUT", "yes", "LOGS_ADMIN_FANOUT is 'yes'; it takes true or false"),
            ("REQLOG_FANOUT_AGE", "1h", "REQLOG_FANOUT_AGE is '1h'; it takes a number of seconds"),
            ("REQLOG_FANOUT_DEADLINE", "-1", "REQLOG_FANOUT_DEADLINE is '-1'; it takes a number of seconds"),
        ] {
            let refused = of(&[(name, value)]).expect_err(value);
            assert!(refused.starts_with(told), "{name}={value}: {refused}");
        }
    }
}
