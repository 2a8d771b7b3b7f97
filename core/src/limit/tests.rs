use super::*;
use proptest::prelude::*;

fn at(nanos: u64) -> Timestamp {
    Timestamp::from_nanos(1_800_000_000_000_000_000 + nanos as i64)
}

/// A token bucket by definition, without a bucket: in every window that ends now, no more is granted than the burst and
/// what comes back meanwhile.
struct Naive {
    rate: Rate,
    granted: Vec<(u64, u32)>,
}

impl Naive {
    fn admits(&self, cost: u32, now: u64) -> bool {
        let Rate { tokens, period, burst } = self.rate;
        let mut sum = u128::from(cost);
        let mut fits = cost <= burst;
        for (time, cost) in self.granted.iter().rev() {
            sum += u128::from(*cost);
            let back = u128::from(now - time) * u128::from(tokens);
            fits &= sum * u128::from(period) <= u128::from(burst) * u128::from(period) + back;
        }
        fits
    }

    fn take(&mut self, cost: u32, now: u64) -> bool {
        let fits = self.admits(cost, now);
        self.granted.extend(fits.then_some((now, cost)));
        fits
    }
}

fn rates() -> impl Strategy<Value = Rate> {
    let period = prop_oneof![1..20u64, 1..3_600_000_000_000u64, Just(60_000_000_000u64)];
    let few = || prop_oneof![1..8u32, 1..=Rate::MOST];
    (few(), period, few()).prop_map(|(tokens, period, burst)| {
        Rate::new(tokens, Duration::from_nanos(period), burst).expect("all of them are within the bounds")
    })
}

/// Those that fill while the clock goes on for days.
fn filling() -> impl Strategy<Value = Rate> {
    rates().prop_filter("it fills in centuries", |rate| span(*rate) < 1 << 50)
}

/// Steps of the clock, in ten-thousandths of the time in which the bucket fills.
fn steps(most: usize) -> impl Strategy<Value = Vec<(i64, u32)>> {
    let step = prop_oneof![3 => 0..300i64, 1 => 0..20_000i64, 1 => -5_000..0i64];
    prop::collection::vec((step, prop_oneof![4 => Just(1u32), 1 => 0..9u32, 1 => any::<u32>()]), 1..most)
}

fn span(rate: Rate) -> u64 {
    rate.wait(rate.full()).as_nanos() as u64
}

proptest! {
    #[test]
    fn a_bucket_grants_what_the_definition_does(rate in filling(), steps in steps(40)) {
        let mut naive = Naive { rate, granted: Vec::new() };
        let (mut bucket, mut now, mut latest) = (TokenBucket::full(at(1 << 60)), 1u64 << 60, 1u64 << 60);
        for (step, cost) in steps {
            let by = (i128::from(step) * i128::from(span(rate)) / 10_000) as i64;
            // back at most as far as is still believed
            now = now.saturating_add_signed(by).max(latest.saturating_sub(span(rate)));
            latest = latest.max(now);
            let verdict = bucket.take(rate, cost, at(now));
            // all of it happens at the latest time that was seen
            let fits = naive.take(cost, latest);
            prop_assert_eq!(verdict.admission == Admission::Granted, fits);
            prop_assert!(naive.admits(verdict.remaining, latest));
            prop_assert!(!naive.admits(verdict.remaining + 1, latest));
            // told from now on
            let later = |wait: Duration| latest.max(now + wait.as_nanos() as u64);
            prop_assert!(naive.admits(rate.burst, later(verdict.full_in)));
            if let Some(sooner) = verdict.full_in.checked_sub(Duration::from_nanos(1)) {
                prop_assert!(!naive.admits(rate.burst, later(sooner)));
            }
            if let Admission::Refused { retry_after } = verdict.admission {
                let wanted = cost.min(rate.burst);
                prop_assert!(naive.admits(wanted, later(retry_after)));
                let sooner = retry_after.saturating_sub(Duration::from_nanos(1));
                prop_assert!(cost > rate.burst || !naive.admits(wanted, later(sooner)));
            }
        }
    }

    #[test]
    fn a_rate_is_kept_to_the_token_over_any_time(rate in rates(), steps in prop::collection::vec(0..3_000u64, 1..200)) {
        // greedy: one more whenever there is one; rounding would add up
        let (mut bucket, mut now, mut granted) = (TokenBucket::full(at(0)), 0u64, 0u128);
        let small = Rate { burst: rate.burst.min(50), ..rate };
        for step in steps {
            now += step * (small.period / u64::from(small.tokens) / 1_000).max(1);
            while granted < 100_000 && bucket.take(small, 1, at(now)).admission == Admission::Granted {
                granted += 1;
            }
        }
        let back = u128::from(now) * u128::from(small.tokens) / u128::from(small.period);
        prop_assert!(granted <= u128::from(small.burst) + back, "{granted} of {back}");
    }

    #[test]
    fn what_is_forgotten_is_not_missed(
        asked in prop::collection::vec((0..200u64, 0..40u64, 0..3u32), 1..400), tokens in 1..5u32, burst in 1..5u32,
    ) {
        let rate = Rate::new(tokens, Duration::from_nanos(100), burst).expect("small");
        let (mut buckets, mut each, mut now) = (Buckets::default(), BTreeMap::new(), 0);
        for (key, step, cost) in asked {
            now += step;
            let charge = Charge { bucket: BucketId::FlowMock { key }, rate, cost };
            let kept = each.entry(key).or_insert(TokenBucket::full(at(now)));
            prop_assert_eq!(buckets.take(charge, at(now)), kept.take(rate, cost, at(now)));
            let filling = each.values().filter(|bucket| !bucket.is_full(rate, at(now))).count();
            prop_assert!(buckets.kept.len() <= LEAST.max(buckets.most) && buckets.most <= 2 * each.len(), "{filling}");
        }
    }

    #[test]
    fn a_rate_is_read_as_it_is_printed(tokens in 1..=Rate::MOST, millis in 1..3_600_000u64, burst in 1..=Rate::MOST) {
        for burst in [burst, tokens] {
            let rate = Rate::new(tokens, Duration::from_millis(millis), burst);
            prop_assert_eq!(Rate::parse(&rate.expect("within the bounds").to_string()), Ok(rate));
        }
    }
}

#[test]
fn settings_are_spelt_as_the_contracts_are() {
    let Limits { flowmock, scrip, streams_per_key } = Limits::default();
    assert_eq!(Rate::parse("120/60s"), Ok(flowmock));
    assert_eq!(Rate::parse("10/1s,burst=30"), Ok(scrip));
    assert_eq!(Rate::parse("10/s, burst=30"), Ok(scrip));
    assert_eq!(streams_per_key, 16);
    assert_eq!(Rate::parse("120/m"), Ok(flowmock));
    assert_eq!(Rate::parse("off"), Ok(None));
    assert_eq!(Rate::parse("5/250ms").map(|rate| rate.unwrap().to_string()), Ok("5/250ms".to_owned()));
    assert_eq!(Rate::parse("1/1h").map(|rate| rate.unwrap().to_string()), Ok("1/3600s".to_owned()));
    for wrong in [
        "",
        "on",
        "OFF",
        "10",
        "/s",
        "10/",
        "10/1",
        "10/1d",
        "10/61m",
        "2/h2",
        "0/s",
        "1/0s",
        "-1/s",
        "+1/s",
        "1.5/s",
        "10/s,",
        "10/s,burst=",
        "10/s,burst=0",
        "10/s,30",
        "10/s,burst=1000001",
        "1000001/s",
        "4294967297/s",
        "1/4294967297ms",
        "10 /s",
        "١/s",
    ] {
        let told = Rate::parse(wrong).expect_err(wrong).to_string();
        assert!(told.starts_with(&format!("'{wrong}' is no rate; write 120/60s")), "{told}");
    }
}

#[test]
fn a_clock_that_was_far_ahead_is_put_right() {
    let rate = Rate::new(10, Duration::from_secs(1), 30).unwrap();
    let (hour, second) = (3_600_000_000_000, 1_000_000_000);
    let mut bucket = TokenBucket::full(at(hour));
    assert_eq!(bucket.take(rate, 30, at(hour)).remaining, 0);
    // 3 s are what 30 tokens take
    let verdict = bucket.take(rate, 1, at(hour - 3 * second));
    assert_eq!(verdict.admission, Admission::Refused { retry_after: Duration::from_millis(3_100) });
    let verdict = bucket.take(rate, 1, at(hour - 3 * second - 1));
    assert_eq!(verdict.admission, Admission::Refused { retry_after: Duration::from_millis(100) });
    assert_eq!(verdict.full_in, Duration::from_secs(3), "nothing came back with it");
}

#[test]
fn another_rate_of_a_key_begins_with_a_full_bucket() {
    let rate = |burst| Rate::new(1, Duration::from_secs(1), burst).unwrap();
    let charge = |burst| Charge { bucket: BucketId::Scrip, rate: rate(burst), cost: 1 };
    let mut buckets = Buckets::default();
    assert_eq!(buckets.take(charge(2), at(0)).remaining, 1);
    assert_eq!(buckets.take(charge(5), at(0)).remaining, 4);
    assert_eq!(buckets.kept.len(), 1);
}

#[test]
fn a_bucket_is_found_by_its_text() {
    for id in [BucketId::Scrip, BucketId::FlowMock { key: 0 }, BucketId::FlowMock { key: 71 }] {
        assert_eq!(BucketId::parse(&id.to_string()), Some(id));
    }
    for wrong in ["", "scrip/1", "flowmock", "flowmock/", "flowmock/x", "Scrip"] {
        assert_eq!(BucketId::parse(wrong), None, "{wrong}");
    }
    let limits = Limits { scrip: None, ..Limits::default() };
    assert_eq!(limits.rate(BucketId::FlowMock { key: 1 }), limits.flowmock);
    assert_eq!(limits.rate(BucketId::Scrip), None);
}
