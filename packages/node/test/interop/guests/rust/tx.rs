//! Everything that reaches outside: transactions, contract reads, MQTT, system calls, metrics. Payloads are words
//! separated by spaces.
mod host;
use host::{api_call, call_contract, code, log_info, mqtt_message, send_mqtt, send_tx, send_tx_with_operator, submit_metrics, text};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{:02x}", byte)).collect()
}

/// The payload's words; fewer than `wanted` is −10, the host's own code for a bad parameter.
fn arguments(rid: i32, wanted: usize) -> Result<Vec<String>, i32> {
    let words: Vec<String> = text(rid)?.split_whitespace().map(str::to_owned).collect();
    if words.len() < wanted { Err(10) } else { Ok(words) }
}

fn chain(word: &str) -> Result<i32, i32> {
    word.parse().map_err(|_| 10)
}

/// `CHAIN TO WEI DATA`; logs the hash.
#[no_mangle]
pub extern "C" fn send(rid: i32) -> i32 {
    code(arguments(rid, 4).and_then(|words| {
        let tx = format!(r#"{{"to":"{}","value":"{}","data":"{}"}}"#, words[1], words[2], words[3]);
        let hash = send_tx(chain(&words[0])?, &tx)?;
        log_info(&format!("sent {}", String::from_utf8_lossy(&hash)));
        Ok(())
    }))
}

/// `CHAIN TO WEI DATA OPERATOR`; logs the hash.
#[no_mangle]
pub extern "C" fn send_as(rid: i32) -> i32 {
    code(arguments(rid, 5).and_then(|words| {
        let tx = format!(
            r#"{{"to":"{}","value":"{}","data":"{}","operatorName":"{}"}}"#,
            words[1], words[2], words[3], words[4]
        );
        let hash = send_tx_with_operator(chain(&words[0])?, &tx)?;
        log_info(&format!("sent {}", String::from_utf8_lossy(&hash)));
        Ok(())
    }))
}

/// `CHAIN TO DATA`; logs the returned bytes in hexadecimal.
#[no_mangle]
pub extern "C" fn call(rid: i32) -> i32 {
    code(arguments(rid, 3).and_then(|words| {
        let request = format!(r#"{{"to":"{}","data":"{}"}}"#, words[1], words[2]);
        let bytes = call_contract(chain(&words[0])?, &request)?;
        log_info(&format!("returned {}", hex(&bytes)));
        Ok(())
    }))
}

/// `TOPIC MESSAGE`; publishes.
#[no_mangle]
pub extern "C" fn publish(rid: i32) -> i32 {
    code(arguments(rid, 2).and_then(|words| send_mqtt(&words[0], words[1].as_bytes())))
}

/// Logs topic and payload of the MQTT message behind this event; −2 when it came another way.
#[no_mangle]
pub extern "C" fn read_mqtt(rid: i32) -> i32 {
    code(mqtt_message(rid).map(|(topic, payload)| {
        log_info(&format!("{}: {}", String::from_utf8_lossy(&topic), String::from_utf8_lossy(&payload)))
    }))
}

/// Calls the system's `hello` for the payload's first word, and logs the answer.
#[no_mangle]
pub extern "C" fn hello(rid: i32) -> i32 {
    code(arguments(rid, 1).and_then(|words| {
        let answer = api_call(&format!(
            r#"{{"Method":"GET","Url":"w3bstream://w3bstream.com/system/hello","Header":{{"Eventtype":["result"],"name":["{}"]}},"Body":null}}"#,
            words[0]
        ))?;
        log_info(&String::from_utf8_lossy(&answer));
        Ok(())
    }))
}

/// Submits the payload as metrics.
#[no_mangle]
pub extern "C" fn metrics(rid: i32) -> i32 {
    code(text(rid).and_then(|json| submit_metrics(&json)))
}
