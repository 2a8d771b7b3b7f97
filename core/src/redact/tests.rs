use super::*;
use crate::timestamp::Timestamp;
use proptest::prelude::*;

fn redactor() -> Redactor {
    Redactor::new([7; 32])
}

fn header(name: &str, value: &str) -> String {
    redactor().header(name, value).unwrap_or_else(|| value.to_owned())
}

fn json_text(text: &str) -> String {
    redactor().json(text.as_bytes()).map_or_else(|| text.to_owned(), text_of)
}

#[test]
fn header_values_go_and_schemes_and_cookie_names_stay() {
    let hash = |value: &str| redactor().token(value).into_owned();
    assert!(hash("0123456789ab").starts_with("[redacted:"));
    assert_eq!(header("authorization", "Bearer 0123456789ab"), format!("Bearer {}", hash("0123456789ab")));
    assert_eq!(header("x-api-key", "0123456789ab"), hash("0123456789ab"));
    assert_eq!(header("authorization", "short"), "[redacted]");
    assert_eq!(header("cookie", "sid=abc; theme=dark; empty="), "sid=[redacted]; theme=[redacted]; empty=");
    assert_eq!(header("set-cookie", "sid=abc; Path=/; HttpOnly"), "sid=[redacted]; Path=/; HttpOnly");
    assert_eq!(
        header("referer", "https://ann:pw@host/?token=x&a=1#f"),
        "https://[redacted]@host/?token=[redacted]&a=1#f"
    );
    assert_eq!(header("accept", "*/*;q=0.1"), "*/*;q=0.1");
}

#[test]
fn json_fields_go_however_they_are_written() {
    let check = |before: &str, after: &str| {
        assert_eq!(json_text(before), after);
    };
    check(r#"{"password":"pw","a":1}"#, r#"{"password":"[redacted]","a":1}"#);
    check(r#"{"deep":[{"API-Key" : "k"}]}"#, r#"{"deep":[{"API-Key" : "[redacted]"}]}"#);
    check(r#"{"\u0070assword":"pw"}"#, r#"{"\u0070assword":"[redacted]"}"#);
    check(r#"{"tokens":5,"next_token":"abc","token":7}"#, r#"{"tokens":5,"next_token":"abc","token":7}"#);
    check(r#"{"Authorization":["a","b"],"x":["c"]}"#, r#"{"Authorization":["[redacted]","[redacted]"],"x":["c"]}"#);
    check(r#"{"password":"a\"b","c":"d"}"#, r#"{"password":"[redacted]","c":"d"}"#);
    check(r#"{"a":"password","secret":"cut of"#, r#"{"a":"password","secret":"[redacted]"#);
    check(r#"{"u":"redis://u:p@h/0"}"#, r#"{"u":"redis://[redacted]@h/0"}"#);
}

#[test]
fn equal_secrets_have_equal_hashes_wherever_they_stand() {
    let mut record = Record::new(Timestamp::from_nanos(0));
    record.texts.set(Field::Query, "token=a%2Fbcdefghijklm");
    record.request.headers.push("X-Auth-Token", "a/bcdefghijklm");
    record.attributes = Some(r#"{"token":"a\/bcdefghijklm"}"#.into());
    redactor().apply(&mut record);
    assert!(record.redacted);
    let token = record.request.headers.get("x-auth-token").unwrap().to_owned();
    assert!(is_token(&token));
    assert_eq!(record.text(Field::Query).unwrap(), format!("token={token}"));
    assert_eq!(record.attributes.unwrap(), format!(r#"{{"token":"{token}"}}"#));
}

fn body(content_type: Option<&str>, bytes: &[u8]) -> Vec<u8> {
    let mut record = Record::new(Timestamp::from_nanos(0));
    record.request.body = Some(Body {
        size: 0,
        bytes: bytes.to_vec(),
        withheld: 0,
        content_type: content_type.map(Into::into),
        cut: None,
    });
    redactor().apply(&mut record);
    record.request.body.unwrap().bytes
}

#[test]
fn bodies_that_are_not_utf_8_lose_their_secrets_too() {
    let json = Some("application/json");
    let check = |content_type, before: &[u8], after: &[u8]| {
        let clean = body(content_type, before);
        assert_eq!(String::from_utf8_lossy(&clean), String::from_utf8_lossy(after));
        assert_eq!(clean, after);
    };
    // cut by its source within a character
    check(json, b"{\"password\":\"pw\",\"n\":\"caf\xc3", b"{\"password\":\"[redacted]\",\"n\":\"caf\xc3");
    check(json, b"{\"password\":\"caf\xc3", b"{\"password\":\"[redacted]");
    check(None, b"{\"n\":\"Jos\xe9\",\"token\":\"pw\"}", b"{\"n\":\"Jos\xe9\",\"token\":\"[redacted]\"}");
    check(Some("text/plain"), b"\xe9 http://u:p@h/?token=x \xff", b"\xe9 http://[redacted]@h/?token=[redacted] \xff");
    check(Some("application/x-www-form-urlencoded"), b"{\"token\":\"pw\"}", b"{\"token\":\"[redacted]\"}");
    check(Some("application/x-www-form-urlencoded"), b"n=\xe9&password=a\xe9b", b"n=\xe9&password=[redacted]");
}

#[test]
fn documents_within_strings_lose_their_secrets() {
    let check = |before: &str, after: &str| {
        assert_eq!(String::from_utf8(body(Some("application/json"), before.as_bytes())).unwrap(), after);
    };
    check(
        r#"{"body":"{\"password\": \"pw\",\"n\":1}","z":1}"#,
        r#"{"body":"{\"password\": \"[redacted]\",\"n\":1}","z":1}"#,
    );
    check(
        r#"{"b":"{\"c\":\"{\\\"token\\\":\\\"pw\\\"}\"}"}"#,
        r#"{"b":"{\"c\":\"{\\\"token\\\":\\\"[redacted]\\\"}\"}"}"#,
    );
    check(r#"{"b":"{\"token\":\"cut of"#, r#"{"b":"{\"token\":\"[redacted]"#);
    check(r#"{"say":":\"","password":"pw"}"#, r#"{"say":":\"","password":"[redacted]"}"#);
    check(r#"stray " {"password":"pw"}"#, r#"stray " {"password":"[redacted]"}"#);
}

#[test]
fn only_known_schemes_and_attributes_stay() {
    assert!(is_token(&header("x-api-key", "hunter2 hunter3")));
    assert!(!header("authorization", "hunter2 hunter3").contains("hunter"));
    assert_eq!(header("authorization", "token abc"), "token [redacted]");
    let joined = "a=x1; Expires=Wed, 21 Oct 2026 07:28:00 GMT, b=x2; Secure, c=x3; Path=/, d=x4\ne=x5; Domain=h.test";
    assert_eq!(
        header("set-cookie", joined),
        "a=[redacted]; Expires=Wed, 21 Oct 2026 07:28:00 GMT, b=[redacted]; Secure, c=[redacted]; Path=/, d=[redacted]\ne=[redacted]; Domain=h.test"
    );
}

#[test]
fn urls_are_found_as_json_and_hosts_spell_them() {
    let mut record = Record::new(Timestamp::from_nanos(0));
    record.texts.set(Field::Host, "user:pw@host.test");
    record.attributes = Some(r#"{"db":"postgres:\/\/me:pw@db\/x","u":"http://h/?a=1\u0026api_key=abc"}"#.into());
    redactor().apply(&mut record);
    assert_eq!(record.text(Field::Host), Some("[redacted]@host.test"));
    assert_eq!(
        record.attributes.as_deref(),
        Some(r#"{"db":"postgres:\/\/[redacted]@db\/x","u":"http://h/?a=1\u0026api_key=[redacted]"}"#)
    );
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Into::into),
        any::<i32>().prop_map(Into::into),
        "[a-z\"\\\\é:/@?=&]{0,8}".prop_map(Into::into),
        Just(serde_json::Value::Null),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let name = prop_oneof![Just("plain".to_owned()), Just("n\"ame".to_owned()), "[a-c]{1,3}"];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            proptest::collection::vec((name, inner), 0..4).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

fn plant(value: &mut serde_json::Value, name: &str, secret: &str) {
    match value {
        serde_json::Value::Object(members) => {
            members.values_mut().for_each(|member| plant(member, name, secret));
            members.insert(name.to_owned(), secret.into());
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| plant(item, name, secret)),
        _ => {}
    }
}

proptest! {
    #[test]
    fn no_spelling_of_a_name_passes_the_first_look(
        name in prop::sample::select(names::FIELDS.to_vec()), spelling in prop::collection::vec((any::<bool>(), 0..8u8), 24)
    ) {
        let mut spelt = String::new();
        for (letter, (upper, how)) in name.chars().zip(spelling) {
            let letter = if upper { letter.to_ascii_uppercase() } else { letter };
            match how {
                0 => spelt.push_str(&format!("\\u{:04x}", u32::from(letter))),
                1 => spelt.extend(['_', letter]),
                2 => spelt.extend([letter, '-', '.']),
                _ => spelt.push(letter),
            }
        }
        let document = format!("{{\"id\":1,\"{spelt}\" :\"Q-secret\"}}");
        let clean = format!("{{\"id\":1,\"{spelt}\" :\"[redacted]\"}}");
        prop_assert_eq!(json_text(&document), clean.as_str());
        let quoted = serde_json::json!({ "inner": document }).to_string();
        prop_assert_eq!(json_text(&quoted), serde_json::json!({ "inner": clean }).to_string());
    }

    #[test]
    fn no_secret_survives_wherever_the_document_is_cut(
        value in json(), name in prop::sample::select(names::FIELDS.to_vec()), secret in "Q[A-Z]{2,30}Q", cut in any::<prop::sample::Index>()
    ) {
        let mut value = serde_json::json!({ "root": value });
        plant(&mut value, name, &secret);
        let text = value.to_string();
        let mut cut = cut.index(text.len() + 1);
        while !text.is_char_boundary(cut) { cut -= 1; }
        let clean = json_text(&text[..cut]);
        prop_assert!(!clean.contains(&secret[..3]), "{}", clean);
        prop_assert_eq!(&json_text(&clean), &clean);
        if cut == text.len() {
            prop_assert!(serde_json::from_str::<serde_json::Value>(&clean).is_ok());
        }
    }

    #[test]
    fn doing_it_again_changes_nothing_and_nothing_panics(
        query in "[a-z=&%?;]{0,20}|token=\\PC{0,20}", text in "\\PC{0,60}|https?://[a-z:@/?=&]{0,30}", header in "\\PC{0,40}",
        bytes in proptest::collection::vec(any::<u8>(), 0..80)
    ) {
        let mut record = Record::new(Timestamp::from_nanos(0));
        record.texts.set(Field::Query, &query);
        record.texts.set(Field::Message, &text);
        for name in ["cookie", "set-cookie", "authorization", "referer"] {
            record.request.headers.push(name, &header);
        }
        let form = Some("application/x-www-form-urlencoded".to_owned());
        record.request.body = Some(Body { size: 0, bytes: query.clone().into_bytes(), withheld: 0, content_type: form, cut: None });
        record.response.body = Some(Body { size: 0, bytes, withheld: 0, content_type: None, cut: None });
        redactor().apply(&mut record);
        let once = record.clone();
        redactor().apply(&mut record);
        prop_assert_eq!(record, once);
    }
}
