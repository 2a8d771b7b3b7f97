//! What a Worker begins with, as rows of its catalog and settings of its environment.

use crate::wire::Setting;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqlog_core::auth::Role;
use reqlog_core::limit::Rate;
use reqlog_core::plan::{Origins, Settings};
use serde_json::{Value, json};

/// Rows of `worker/migrations/0001_catalog.sql`.
pub(super) fn statements(setting: &Setting) -> Vec<Value> {
    let mut statements = Vec::new();
    let mut add = |sql: &str, params: Value| statements.push(json!({ "sql": sql, "params": params }));
    let [secret, redact_key] = [setting.cursor_secret, setting.redact_key].map(|key| STANDARD.encode(key));
    add("INSERT INTO store VALUES (1, 1, 1, 0, 0, 0, ?, ?, '{}')", json!([secret, redact_key]));
    add(
        "INSERT INTO keys (id, hash, name, role, created_ns) VALUES (1, ?, 'admin', ?, ?)",
        json!([STANDARD.encode(setting.admin.hash().0), Role::Admin.name(), setting.now.as_nanos().to_string()]),
    );
    for (project, environments) in setting.projects.iter() {
        for environment in environments.iter().map(String::as_str).chain([""]) {
            add("INSERT INTO places VALUES (?, ?)", json!([project, environment]));
        }
    }
    for (summary, rows) in &setting.batches {
        add(
            "INSERT INTO batches (first, next, arrival, token, summary, rows) VALUES (?, ?, ?, 0, ?, ?)",
            json!([
                summary.seq.0.get(),
                summary.seq.1.get() + 1,
                summary.arrival.1,
                STANDARD.encode(summary.encode()),
                STANDARD.encode(rows)
            ]),
        );
    }
    statements
}

/// The Worker's environment variables.
pub(crate) fn variables(settings: &Settings) -> Value {
    let rate = |rate: Option<Rate>| rate.map_or_else(|| "off".to_owned(), |rate| rate.to_string());
    let mut variables = json!({
        "REQLOG_FLOWMOCK_RATE": rate(settings.limits.flowmock),
        "REQLOG_SCRIP_RATE": rate(settings.limits.scrip),
        "REQLOG_STREAMS_PER_KEY": settings.limits.streams_per_key.to_string(),
        "REQLOG_BASE_PATH": settings.base_path,
        // every request commits by itself, as soon as it comes
        "REQLOG_COMMIT_WINDOW": "0ms",
    });
    match &settings.origins {
        Origins::Own => {}
        Origins::Any => variables["REQLOG_ORIGINS"] = "*".into(),
        Origins::Listed(origins) => variables["REQLOG_ORIGINS"] = origins.join(",").into(),
    }
    if let Some(fan_out) = settings.fan_out {
        variables["LOGS_ADMIN_FANOUT"] = "true".into();
        variables["REQLOG_FANOUT_AGE"] = fan_out.cursor_age.as_secs_f64().to_string().into();
        variables["REQLOG_FANOUT_DEADLINE"] = fan_out.deadline.as_secs_f64().to_string().into();
    }
    variables
}
