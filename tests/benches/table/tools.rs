//! `reqlog query` and `reqlog stats` straight over the NDJSON file beside what people use now: `rg` and `jq`.

use super::report::Table;
use super::{Result, setting};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

// `$F` is the file, `$R` the reqlog command
struct Job {
    name: &'static str,
    reqlog: &'static str,
    rg: &'static str,
    jq: &'static str,
    same: Same,
}

// what the answers have in common
#[derive(Clone, Copy, PartialEq, Eq)]
enum Same {
    Lines,
    // `count level service`, a group a line, against totals by level
    Total,
}

const JOBS: [Job; 3] = [
    Job {
        name: "5xx with a path prefix, all rows",
        reqlog: r#"$R query 'status:5xx path:/v1/*' --all --format ndjson "$F""#,
        rg: r#"rg -N '"path":"/v1/.*"status":5[0-9][0-9],' "$F""#,
        jq: r#"jq -c 'select(.status >= 500 and (.path | startswith("/v1/")))' "$F""#,
        same: Same::Lines,
    },
    Job {
        name: "rare substring, all rows",
        reqlog: r#"$R query quarantined --all --format ndjson "$F""#,
        rg: r#"rg -N quarantined "$F""#,
        jq: r#"jq -c 'select(.message | contains("quarantined"))' "$F""#,
        same: Same::Lines,
    },
    Job {
        name: "count by level and service",
        reqlog: r#"$R stats --json "$F""#,
        rg: r#"rg -oN '"level":"[a-z]+","service":"[^"]*"' "$F" | sort | uniq -c"#,
        jq: r#"jq -r '[.level, .service] | @tsv' "$F" | sort | uniq -c"#,
        same: Same::Total,
    },
];

/// Medians of whole processes, run in turn.
pub fn table(file: &Path) -> Result<Table> {
    let mut table = Table::new(&["over the NDJSON file, s", "reqlog", "rg", "jq", "ratio to the fastest peer"]);
    let Some(reqlog) = command() else {
        eprintln!(
            "no reqlog command beside this bench: `cargo build --release -p reqlog` makes it; REQLOG names another"
        );
        return Ok(table);
    };
    let rounds = setting("REQLOG_BENCH_ROUNDS", 5)?;
    for job in JOBS {
        let tools = [("reqlog", job.reqlog), ("rg", job.rg), ("jq", job.jq)];
        let present = tools.map(|(tool, _)| tool == "reqlog" || is_present(tool));
        let mut times: [Vec<Duration>; 3] = Default::default();
        let mut answers = Vec::new();
        for round in 0..rounds {
            for (at, (tool, script)) in tools.into_iter().enumerate() {
                // jq takes a hundred times as long: once is enough to know it
                if !present[at] || tool == "jq" && round > 0 {
                    continue;
                }
                let (time, output) = run(script, file, &reqlog)?;
                times[at].push(time);
                if round == 0 {
                    answers.push((tool, size(&output, job.same)?));
                }
            }
        }
        let first = answers[0].1;
        assert!(answers.iter().all(|(_, size)| *size == first), "{}: {answers:?}", job.name);
        let medians = times.map(|mut times| {
            times.sort_unstable();
            times.get(times.len() / 2).copied()
        });
        let fastest = medians[1..].iter().flatten().min();
        let ratio = |ours: Duration| fastest.map(|peer| ours.as_secs_f64() / peer.as_secs_f64());
        let mut cells = vec![format!("{} ({first})", job.name)];
        cells.extend(medians.map(|median| median.map_or("absent".into(), |time| format!("{:.3}", time.as_secs_f64()))));
        cells.push(medians[0].and_then(ratio).map_or("–".into(), |ratio| format!("{ratio:.2}")));
        table.row(cells);
    }
    Ok(table)
}

// cargo puts commands one folder above the binaries of benches
fn command() -> Option<PathBuf> {
    let named = std::env::var_os("REQLOG").map(PathBuf::from);
    let beside = || Some(std::env::current_exe().ok()?.parent()?.parent()?.join("reqlog"));
    named.or_else(beside).filter(|path| path.is_file())
}

fn is_present(tool: &str) -> bool {
    let found = Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        eprintln!("{tool} is not installed: left out");
    }
    found
}

fn run(script: &str, file: &Path, reqlog: &Path) -> Result<(Duration, Vec<u8>)> {
    let start = Instant::now();
    let mut shell = Command::new("sh");
    shell.args(["-c", script]).env("F", file).env("R", reqlog).env("LC_ALL", "C");
    let output = shell.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    let time = start.elapsed();
    if output.status.success() { Ok((time, output.stdout)) } else { Err(format!("{script}: {}", output.status).into()) }
}

fn size(output: &[u8], same: Same) -> Result<u64> {
    match same {
        Same::Lines => Ok(output.iter().filter(|&&byte| byte == b'\n').count() as u64),
        Same::Total => {
            if let Ok(stats) = serde_json::from_slice::<serde_json::Value>(output) {
                stats["total"].as_u64().ok_or_else(|| format!("no total in {stats}").into())
            } else {
                let counts = std::str::from_utf8(output)?.lines().filter_map(|line| line.split_whitespace().next());
                counts.map(|count| count.parse::<u64>().map_err(Into::into)).sum()
            }
        }
    }
}
