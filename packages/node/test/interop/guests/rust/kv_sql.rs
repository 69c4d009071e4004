//! Counts words in the KV store and keeps them in a table.
mod host;
use host::{code, env, kv_get, kv_set, log_info, sql_execute, sql_query, text};

/// A stored count: little-endian i32, as the published Go examples keep it.
fn count_of(word: &str) -> i32 {
    match kv_get(word) {
        Ok(bytes) if bytes.len() == 4 => i32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]),
        _ => 0,
    }
}

fn words(payload: &str) -> impl Iterator<Item = &str> {
    payload.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// Adds one to the count of every word of the payload, each under its own key, and logs `word=count`.
#[no_mangle]
pub extern "C" fn count_words(rid: i32) -> i32 {
    code(text(rid).and_then(|payload| {
        for word in words(&payload) {
            let count = count_of(word) + 1;
            kv_set(word, &count.to_le_bytes())?;
            log_info(&format!("{}={}", word, count));
        }
        Ok(())
    }))
}

/// Inserts every word with its length into `t_words`, then logs all rows as the host gives them.
#[no_mangle]
pub extern "C" fn store_words(rid: i32) -> i32 {
    code(text(rid).and_then(|payload| {
        for word in words(&payload) {
            sql_execute(&format!(
                r#"{{"statement":"INSERT INTO t_words (f_word, f_length) VALUES (?, ?)","params":[{{"string":"{}"}},{{"int32":{}}}]}}"#,
                word,
                word.chars().count()
            ))?;
        }
        let rows = sql_query(r#"{"statement":"SELECT f_word, f_length FROM t_words ORDER BY f_word","params":[]}"#)?;
        log_info(&String::from_utf8_lossy(&rows));
        Ok(())
    }))
}

/// Runs the payload as a SQL request, and logs the bytes that came back.
#[no_mangle]
pub extern "C" fn query(rid: i32) -> i32 {
    code(text(rid).and_then(|request| sql_query(&request)).map(|rows| log_info(&String::from_utf8_lossy(&rows))))
}

/// Logs the value of the key that the payload names; −2 when it is missing.
#[no_mangle]
pub extern "C" fn read_key(rid: i32) -> i32 {
    code(text(rid).and_then(|key| kv_get(&key)).map(|value| log_info(&String::from_utf8_lossy(&value))))
}

/// Logs the environment value that the payload names; −8 when it is missing.
#[no_mangle]
pub extern "C" fn read_env(rid: i32) -> i32 {
    code(text(rid).and_then(|key| env(&key)).map(|value| log_info(&String::from_utf8_lossy(&value))))
}
