//! Settings that are no flags: the environment, then `reqlog.toml`.
//!
//! A flag wins over the environment, the environment over the file. Every setting can be given in all three.

use super::Problem;
use super::retention::Table;
use reqlog_core::plan::Origins;
use reqlog_core::retention::{Layers, Retention};
use reqlog_core::settings::Given;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What the environment and the settings file say; a flag, where there is one, was looked at before.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Settings {
    /// `REQLOG_DATA`, `data`: the data directory.
    pub data: Option<PathBuf>,
    /// `REQLOG_LISTEN`, `listen`: address and port of `serve`.
    pub listen: Option<String>,
    /// `REQLOG_BASE_PATH`, `base-path`: the path that a reverse proxy puts before every route.
    pub base_path: Option<String>,
    /// `REQLOG_ORIGINS`, `origins`: the web origins whose pages may call the API, with commas between them, or `*`.
    pub origins: Option<String>,
    /// `REQLOG_FLOWMOCK_RATE`, `flowmock-rate`: how often a key may ask the `FlowMock` API.
    pub flowmock_rate: Option<String>,
    /// `REQLOG_SCRIP_RATE`, `scrip-rate`: how often all keys may ask the Scrip API.
    pub scrip_rate: Option<String>,
    /// `REQLOG_STREAMS_PER_KEY`, `streams-per-key`: how many live streams a key may have open.
    pub streams_per_key: Option<usize>,
    /// `REQLOG_ADMIN_KEY`, `admin-key`: the first admin key of a fresh data directory.
    pub admin_key: Option<String>,
    /// `REQLOG_URL`, `url`: the server that commands ask.
    pub url: Option<String>,
    /// `REQLOG_KEY`, `key`: the key that commands show it.
    pub key: Option<String>,
    /// `REQLOG_REDACT_KEY`, `redact-key`: what replaced secrets are hashed with.
    pub redact_key: Option<String>,
    /// `LOGS_ADMIN_FANOUT`, which Hoody's documentation names, `admin-fanout`: whether admin keys of the organisation
    /// get the rows of all projects as one stream, `true` or `false`.
    pub admin_fanout: Option<bool>,
    /// `REQLOG_FANOUT_AGE`, `fanout-age`: seconds after which the cursors of such a sweep expire.
    #[serde(deserialize_with = "seconds")]
    pub fanout_age: Option<Duration>,
    /// `REQLOG_FANOUT_DEADLINE`, `fanout-deadline`: seconds after which one answer of it stops.
    #[serde(deserialize_with = "seconds")]
    pub fanout_deadline: Option<Duration>,
    /// `REQLOG_RETENTION_AGE`, `retention-age`: how long after their arrival records are kept, as `30d,PROJECT=90d`.
    pub retention_age: Option<String>,
    /// `REQLOG_RETENTION_BYTES`, `retention-bytes`: how much of each project is kept, as `10GB,PROJECT=none`.
    pub retention_bytes: Option<String>,
    /// `[retention.PROJECT]`: `age` and `bytes` of one project; the file only.
    pub retention: BTreeMap<String, Table>,
    // what the environment says of retention, project by project over what the file does
    #[serde(skip)]
    pub(super) above: [Option<String>; 2],
}

const FILE: &str = "reqlog.toml";

impl Settings {
    /// Reads the environment over the file: the one named, which must exist, else `reqlog.toml` here, if there is one.
    pub fn load(file: Option<&Path>) -> Result<Self, Problem> {
        let path = file.unwrap_or(Path::new(FILE));
        let settings: Self = match std::fs::read_to_string(path) {
            Ok(text) => toml::from_str(&text)
                .map_err(|error| Problem::Usage(format!("{}: {}", path.display(), error.to_string().trim_end())))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && file.is_none() => Self::default(),
            Err(error) => return Err(Problem::Usage(format!("{}: {error}", path.display()))),
        };
        settings.under(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    fn under(self, environment: impl Fn(&str) -> Option<String>) -> Result<Self, Problem> {
        let given = Given::of_variables(&environment).map_err(Problem::Usage)?;
        Ok(Self {
            data: environment("REQLOG_DATA").map(PathBuf::from).or(self.data),
            listen: environment("REQLOG_LISTEN").or(self.listen),
            base_path: given.base_path.or(self.base_path),
            origins: given.origins.or(self.origins),
            flowmock_rate: given.flowmock_rate.or(self.flowmock_rate),
            scrip_rate: given.scrip_rate.or(self.scrip_rate),
            streams_per_key: given.streams_per_key.or(self.streams_per_key),
            admin_key: environment("REQLOG_ADMIN_KEY").or(self.admin_key),
            url: environment("REQLOG_URL").or(self.url),
            key: environment("REQLOG_KEY").or(self.key),
            redact_key: given.redact_key.or(self.redact_key),
            admin_fanout: given.admin_fanout.or(self.admin_fanout),
            fanout_age: given.fanout_age.or(self.fanout_age),
            fanout_deadline: given.fanout_deadline.or(self.fanout_deadline),
            above: ["REQLOG_RETENTION_AGE", "REQLOG_RETENTION_BYTES"].map(&environment),
            ..self
        })
    }

    /// The origins that a flag or a setting names; only the server's own pages where neither does.
    pub fn origins(&self, flag: Option<&str>) -> Result<Origins, Problem> {
        let origins = flag.map(str::to_owned).or_else(|| self.origins.clone());
        Given { origins, ..Given::default() }.origins().map_err(Problem::Usage)
    }

    /// How long records are kept. A flag, the environment and the file each say it of all projects or of some; of each
    /// project the first of them that names it counts, then the first that names all.
    pub fn retention(&self, age: Option<&str>, bytes: Option<&str>) -> Result<Retention, Problem> {
        let mut layers = Layers::default();
        self.retention.iter().try_for_each(|(project, table)| table.add(project, &mut layers))?;
        for list in [self.retention_age.as_deref(), self.above[0].as_deref(), age].into_iter().flatten() {
            layers.ages(list)?;
        }
        for list in [self.retention_bytes.as_deref(), self.above[1].as_deref(), bytes].into_iter().flatten() {
            layers.bytes(list)?;
        }
        Ok(layers.finish())
    }

    /// The data directory: the flag's, the setting's, `./reqlog-data`.
    pub fn data(&self, flag: Option<&Path>) -> PathBuf {
        flag.map(Path::to_path_buf).or_else(|| self.data.clone()).unwrap_or_else(|| PathBuf::from("reqlog-data"))
    }
}

fn seconds<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Duration>, D::Error> {
    u64::deserialize(input).map(|seconds| Some(Duration::from_secs(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_wins_over_the_file() {
        let file: Settings = toml::from_str("data = \"a\"\nbase-path = \"/logs\"\nurl = \"http://one\"").unwrap();
        let settings = file.under(|name| (name == "REQLOG_URL").then(|| "http://two".to_owned())).unwrap();
        assert_eq!(settings.url.as_deref(), Some("http://two"));
        assert_eq!(settings.base_path.as_deref(), Some("/logs"));
        assert_eq!(settings.data(None), Path::new("a"));
        assert_eq!(settings.data(Some(Path::new("b"))), Path::new("b"));
    }

    #[test]
    fn origins_are_read_as_browsers_spell_them() {
        let settings =
            Settings { origins: Some("https://a.example.test/, http://localhost:3000".into()), ..Settings::default() };
        let listed = ["https://a.example.test", "http://localhost:3000"].map(str::to_owned).to_vec();
        assert_eq!(settings.origins(None).unwrap(), Origins::Listed(listed));
        assert_eq!(settings.origins(Some("*")).unwrap(), Origins::Any);
        assert_eq!(Settings::default().origins(None).unwrap(), Origins::Own);
        for wrong in ["a.example.test", "https://", "https://a/b", "*,https://a"] {
            assert!(settings.origins(Some(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_setting_of_another_kind_is_refused() {
        let under = |name: &str, value: &str| {
            let file: Settings = toml::from_str("admin-fanout = true\nfanout-age = 60").unwrap();
            file.under(|asked| (asked == name).then(|| value.to_owned()))
        };
        let settings = under("LOGS_ADMIN_FANOUT", "false").unwrap();
        assert_eq!(
            (settings.admin_fanout, settings.fanout_age, settings.fanout_deadline),
            (Some(false), Some(Duration::from_mins(1)), None)
        );
        assert_eq!(under("REQLOG_FANOUT_AGE", "5").unwrap().fanout_age, Some(Duration::from_secs(5)));
        for (name, value) in
            [("LOGS_ADMIN_FANOUT", "yes"), ("REQLOG_FANOUT_AGE", "1h"), ("REQLOG_FANOUT_DEADLINE", "-1")]
        {
            let Err(Problem::Usage(told)) = under(name, value) else { panic!("{name} takes {value}") };
            assert!(told.contains(name) && told.contains(value), "{told}");
        }
    }

    #[test]
    fn retention_of_all_projects_and_of_one_comes_from_every_source() {
        let file = "retention-age = \"30d\"\nretention-bytes = \"1GB,ci=1MB\"\n[retention.shop]\nage = \"90d\"";
        let file: Settings = toml::from_str(file).unwrap();
        let settings = file.under(|name| (name == "REQLOG_RETENTION_AGE").then(|| "7d,ci=1d".to_owned())).unwrap();
        let retention = settings.retention(Some("shop=2d"), None).unwrap();
        let days = |project| retention.limits(Some(project)).age.unwrap().as_secs() / 86_400;
        assert_eq!([days("any"), days("ci"), days("shop")], [7, 1, 2]);
        assert_eq!(retention.limits(Some("ci")).bytes, Some(1_000_000));
        assert_eq!(retention.limits(Some("shop")).bytes, Some(1_000_000_000));
        assert!(settings.retention(None, Some("lots")).is_err());
        assert!(Settings::default().retention(None, None).unwrap().is_endless());
    }

    #[test]
    fn a_misspelt_setting_is_refused() {
        assert!(Settings::default().under(|name| (name == "REQLOG_STREAMS_PER_KEY").then(|| "few".into())).is_err());
        assert!(toml::from_str::<Settings>("dta = \"a\"").is_err());
    }
}
