//! A large guest with Rust's standard library on WASI: allocator, hash maps with random keys, clock, standard output,
//! arguments, environment, files. A command: it has a `_start` that a node need not call, like TinyGo's modules.
mod host;
mod json;
use host::{code, kv_set, log_error, log_info, text};
use json::Json;
use std::collections::{BTreeMap, HashMap};
use std::time::{SystemTime, UNIX_EPOCH};

struct Summary {
    count: usize,
    mean: f64,
    median: f64,
    deviation: f64,
}

fn summarise(values: &[f64]) -> Option<Summary> {
    let count = values.len();
    if count == 0 {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| a.total_cmp(b));
    let mean = sorted.iter().sum::<f64>() / count as f64;
    let variance = sorted.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count as f64;
    let median = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2.0;
    Some(Summary { count, mean, median, deviation: variance.sqrt() })
}

/// Readings by the name of the quantity.
fn group(readings: &[Json]) -> BTreeMap<String, Vec<f64>> {
    let mut groups: HashMap<String, Vec<f64>> = HashMap::new();
    for reading in readings {
        if let (Some(Json::Text(name)), Some(Json::Number(value))) = (reading.get("name"), reading.get("value")) {
            groups.entry(name.clone()).or_default().push(*value);
        }
    }
    groups.into_iter().collect()
}

/// `{"device": "d", "readings": [{"name": "t", "value": 1.5}, …]}`: logs a line per quantity and stores a summary.
fn report(payload: &str) -> Result<(), i32> {
    let message = json::parse(payload).map_err(|problem| {
        log_error(&problem);
        10
    })?;
    let device = match message.get("device") {
        Some(Json::Text(device)) => device.clone(),
        _ => return Err(10),
    };
    let readings = match message.get("readings") {
        Some(Json::List(readings)) => readings.as_slice(),
        _ => return Err(10),
    };
    let mut parts = Vec::new();
    for (name, values) in group(readings) {
        if let Some(summary) = summarise(&values) {
            log_info(&format!(
                "{} {}: n={} mean={:.3} median={:.3} deviation={:.3}",
                device, name, summary.count, summary.mean, summary.median, summary.deviation
            ));
            parts.push(format!("{:?}:{:.3}", name, summary.mean));
        }
    }
    println!("{} quantities from {}", parts.len(), device);
    kv_set(&format!("summary:{}", device), format!("{{{}}}", parts.join(",")).as_bytes())
}

#[no_mangle]
pub extern "C" fn handle_report(rid: i32) -> i32 {
    code(text(rid).and_then(|payload| report(&payload)))
}

/// Logs the clock in whole seconds.
#[no_mangle]
pub extern "C" fn tell_time(_rid: i32) -> i32 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => {
            log_info(&since.as_secs().to_string());
            0
        }
        Err(_) => -1,
    }
}

/// Logs a number made of the keys that the standard library's hasher drew: equal in two calls with equal seeds.
#[no_mangle]
pub extern "C" fn draw(_rid: i32) -> i32 {
    use std::collections::hash_map::RandomState;
    use std::hash::{BuildHasher, Hasher};
    log_info(&format!("{:016x}", RandomState::new().build_hasher().finish()));
    0
}

/// Logs how many arguments and environment variables there are, and whether a file of the host can be read (it cannot).
#[no_mangle]
pub extern "C" fn look_around(_rid: i32) -> i32 {
    let file = std::fs::read("/etc/passwd").map(|bytes| bytes.len());
    log_info(&format!(
        "args={} env={} file={}",
        std::env::args().count(),
        std::env::vars().count(),
        if file.is_ok() { "readable" } else { "refused" }
    ));
    0
}

/// Writes to both standard streams, one line split over two writes.
#[no_mangle]
pub extern "C" fn print(_rid: i32) -> i32 {
    print!("first ");
    println!("second");
    eprintln!("on the error stream");
    0
}

/// Ends the process with a status, which ends the call as a failure.
#[no_mangle]
pub extern "C" fn leave(_rid: i32) -> i32 {
    log_info("leaving");
    std::process::exit(3)
}

/// Panics with a message on the error stream, then traps.
#[no_mangle]
pub extern "C" fn crash(rid: i32) -> i32 {
    let nothing: Vec<i32> = Vec::new();
    nothing[rid as usize]
}

fn main() {
    println!("main ran");
}
