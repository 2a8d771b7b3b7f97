use super::*;
use proptest::prelude::*;

fn now() -> Timestamp {
    Timestamp::from_millis(1_750_000_000_000)
}

fn sampling(setting: &str) -> Sampling {
    Sampling::parse(setting, now()).unwrap_or_else(|error| panic!("{setting}: {error}"))
}

fn exchange(status: u16, path: &str) -> Record {
    let mut record = Record::new(now());
    record.status = Some(status);
    record.texts.set(Field::Path, path);
    record
}

// of a thousand random numbers, evenly spread
fn share_kept(sampling: &Sampling, record: &Record) -> usize {
    let step = u64::MAX / 1000;
    (0..1000).filter(|n| sampling.keeps(record, n * step + step / 2)).count()
}

#[test]
fn the_first_rule_that_matches_decides() {
    let sampling = sampling("status:5xx=1, path:/health*=0, 0.1");
    for (status, path, share) in [(500, "/health", 1000), (200, "/health/live", 0), (200, "/v1", 100)] {
        assert_eq!(share_kept(&sampling, &exchange(status, path)), share, "{status} {path}");
    }
}

#[test]
fn without_a_share_for_the_rest_all_of_it_is_kept() {
    for setting in ["", "  ", "1", "path:/health*=0"] {
        assert_eq!(share_kept(&sampling(setting), &exchange(200, "/v1")), 1000, "{setting:?}");
    }
    assert_eq!(share_kept(&sampling("0"), &exchange(200, "/v1")), 0);
    assert_eq!(share_kept(&sampling(" .25 "), &exchange(200, "/v1")), 250);
}

#[test]
fn filters_may_have_commas_and_equals_signs() {
    let list = sampling("status:5xx,429=1 , 0");
    assert!(list.keeps(&exchange(429, "/"), 0) && list.keeps(&exchange(503, "/"), 0));
    assert!(!list.keeps(&exchange(200, "/"), 0));
    let quoted = sampling(r#"path:"/a=1, b"=0, path:~/^\/x=0,/=0"#);
    assert!(!quoted.keeps(&exchange(200, "/a=1, b"), 0));
    assert!(!quoted.keeps(&exchange(200, "/x=0,1"), 0));
    assert!(quoted.keeps(&exchange(200, "/a"), 0));
    let compared = sampling("status>=500=1, (path:/a OR path:/b)=0, 1");
    assert!(compared.keeps(&exchange(500, "/a"), 0) && !compared.keeps(&exchange(499, "/b"), 0));
}

#[test]
fn one_trace_is_kept_or_dropped_whole_and_larger_shares_keep_more() {
    let (tenth, half) = (sampling("0.1"), sampling("0.5"));
    let kept = |sampling: &Sampling, trace: u32, random| {
        let mut record = exchange(200, "/");
        record.texts.set(Field::TraceId, &format!("{trace:032x}"));
        sampling.keeps(&record, random)
    };
    let mut count = 0;
    for trace in 0..2000 {
        let decided = kept(&tenth, trace, 0);
        assert_eq!(decided, kept(&tenth, trace, u64::MAX));
        assert!(!decided || kept(&half, trace, 7));
        count += u32::from(decided);
    }
    assert!((150..250).contains(&count), "{count}");
}

#[test]
fn errors_name_the_rule_the_place_and_what_would_be_right() {
    for (setting, expected) in [
        ("status:5xx=2", "rule 1 (at byte 11): 2 is no share; write a decimal from 0 to 1; 0.1 keeps a tenth"),
        ("10%", "rule 1 (at byte 0): 10% is no share; write a decimal from 0 to 1; 0.1 keeps a tenth"),
        ("-1", "rule 1 (at byte 0): -1 is no share; write a decimal from 0 to 1; 0.1 keeps a tenth"),
        (
            "path:/a=1, path:/b",
            "rule 2 (at byte 18): the filter has no share; write =1 behind it to keep all that match, =0 to keep none",
        ),
        (
            "0.1, status:5xx=1",
            "rule 1 (at byte 0): there is a share without a filter; a share alone is for what no rule matches: write it last",
        ),
        (
            "path:/a=1,",
            "rule 2 (at byte 10): there is no rule; write a filter and its share, as status:5xx=1; no comma behind the last",
        ),
        (
            "path:/a=1,, 1",
            "rule 2 (at byte 10): there is no rule; write a filter and its share, as status:5xx=1; no comma behind the last",
        ),
        (
            " =1",
            "rule 1 (at byte 1): there is no rule; write a filter and its share, as status:5xx=1; no comma behind the last",
        ),
        (
            "path:/a*=0, path:\"/b=1",
            "rule 2 (at byte 17): the string is not closed; close it with \", and write \" in it as \\\"",
        ),
        (
            "0.5, statsu:5xx=1",
            "rule 1 (at byte 0): there is a share without a filter; a share alone is for what no rule matches: write it last",
        ),
        ("statsu:5xx=1", "rule 1 (at byte 0): statsu is no key; did you mean status?"),
    ] {
        assert_eq!(Sampling::parse(setting, now()).unwrap_err().to_string(), expected, "{setting}");
    }
    let error = Sampling::parse("path:/a, status:5xx=1", now()).unwrap_err();
    assert!(matches!(error.problem, SamplingProblem::Filter(_)), "{error}");
    let error = Sampling::parse("status:4xx=0, status:teapot=1", now()).unwrap_err();
    assert_eq!((error.rule, error.span.start), (2, 21), "{error}");
}

proptest! {
    #[test]
    fn any_setting_is_read_or_refused_at_a_place_of_it(setting in "([a-z:/*é]{1,4}|status:5xx|=|[0-9.]{1,3}|,|\"|~/|/| |\\PC){0,8}") {
        if let Err(error) = Sampling::parse(&setting, now()) {
            prop_assert!(setting.get(error.span.clone()).is_some(), "{error:?}");
        }
    }

    #[test]
    fn a_share_of_random_numbers_is_kept(share in 0u32..=1000, random: u64) {
        let share = f64::from(share) / 1000.0;
        let sampling = sampling(&share.to_string());
        let kept = sampling.keeps(&exchange(200, "/"), random);
        let fraction = random as f64 / 2f64.powi(64);
        prop_assume!((fraction - share).abs() > 1e-9);
        prop_assert_eq!(kept, fraction < share);
    }
}
