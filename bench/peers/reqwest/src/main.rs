//! reqwest on tokio: `--runtime multi_thread` (as many workers as CPUs may be used) or `local_set` (one thread).

use std::borrow::Cow;
use std::future::Future;
use std::time::Duration;

use reqwest::Client;
use serde::Deserialize;

#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    response: Cow<'a, str>,
    done: bool,
    #[serde(default)]
    t_ns: i64,
}

#[derive(Clone)]
struct Load {
    url: String,
    runtime: String,
    agents: u32,
    requests: u32,
    tokens_per_reply: u32,
    ramp_ms: u32,
}

/// What one agent has seen. Delays in microseconds.
#[derive(Default)]
struct Seen {
    delays: Vec<f32>,
    ttfts: Vec<f32>,
    tokens: u64,
    errors: u64,
}

#[repr(C)]
struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

extern "C" {
    fn clock_gettime(clock: i32, now: *mut Timespec) -> i32;
    fn getrlimit(what: i32, limit: *mut [u64; 2]) -> i32;
    fn setrlimit(what: i32, limit: *const [u64; 2]) -> i32;
}

/// CLOCK_MONOTONIC, the clock of `t_ns`, which std does not show.
fn now_ns() -> i64 {
    let mut now = Timespec { seconds: 0, nanoseconds: 0 };
    unsafe { clock_gettime(1, &mut now) };
    now.seconds * 1_000_000_000 + now.nanoseconds
}

fn raise_file_limit() {
    const NOFILE: i32 = 7;
    let mut limit = [0u64; 2];
    unsafe {
        if getrlimit(NOFILE, &mut limit) == 0 {
            limit[0] = limit[1];
            setrlimit(NOFILE, &limit);
        }
    }
}

fn take_record(line: &[u8], asked: i64, seen: &mut Seen, tokens_of_reply: &mut u32) -> serde_json::Result<bool> {
    let record: Record = serde_json::from_slice(line)?;
    if !record.response.is_empty() {
        let now = now_ns();
        if *tokens_of_reply == 0 {
            seen.ttfts.push((now - asked) as f32 / 1e3);
        }
        *tokens_of_reply += 1;
        seen.tokens += 1;
        seen.delays.push((now - record.t_ns) as f32 / 1e3);
    }
    Ok(record.done)
}

async fn one_reply(
    client: &Client,
    load: &Load,
    seen: &mut Seen,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let body = format!(
        r#"{{"model":"m","prompt":"Why is the sky blue?","options":{{"num_predict":{}}}}}"#,
        load.tokens_per_reply
    );
    let asked = now_ns();
    let mut response = client
        .post(format!("{}/api/generate", load.url))
        .header("Content-Type", "application/json")
        .body(body)
        .send()
        .await?
        .error_for_status()?;
    let mut rest: Vec<u8> = Vec::new();
    let (mut tokens, mut done) = (0, false);
    while let Some(chunk) = response.chunk().await? {
        let mut bytes = &chunk[..];
        while let Some(end) = bytes.iter().position(|b| *b == b'\n') {
            let (line, after) = bytes.split_at(end);
            done |= if rest.is_empty() {
                take_record(line, asked, seen, &mut tokens)?
            } else {
                rest.extend_from_slice(line);
                let whole = std::mem::take(&mut rest);
                take_record(&whole, asked, seen, &mut tokens)?
            };
            bytes = &after[1..];
        }
        rest.extend_from_slice(bytes);
    }
    if done && rest.is_empty() {
        Ok(())
    } else {
        Err("the reply ended early".into())
    }
}

async fn agent(client: Client, load: Load, number: u32) -> Seen {
    let wait = Duration::from_millis(u64::from(load.ramp_ms)) * number / load.agents;
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
    let mut seen = Seen::default();
    for _ in 0..load.requests {
        if let Err(error) = one_reply(&client, &load, &mut seen).await {
            eprintln!("reqwest: {error}");
            seen.errors += 1;
        }
    }
    seen
}

/// Runs all agents by `spawn` and adds up what they have seen.
async fn all_agents<F, H>(load: &Load, spawn: F) -> Seen
where
    F: Fn(Client, Load, u32) -> H,
    H: Future<Output = Result<Seen, tokio::task::JoinError>>,
{
    let client = Client::builder()
        .no_proxy()
        .http1_only()
        .tcp_nodelay(true)
        .pool_max_idle_per_host(usize::MAX)
        .build()
        .expect("a client");
    let agents: Vec<_> = (0..load.agents).map(|i| spawn(client.clone(), load.clone(), i)).collect();
    let mut total = Seen::default();
    for agent in agents {
        match agent.await {
            Ok(seen) => {
                total.delays.extend(seen.delays);
                total.ttfts.extend(seen.ttfts);
                total.tokens += seen.tokens;
                total.errors += seen.errors;
            }
            Err(_) => total.errors += 1,
        }
    }
    total
}

fn quantile(sorted: &[f32], share: f64) -> f32 {
    let last = sorted.len().saturating_sub(1);
    sorted.get((share * last as f64).round() as usize).copied().unwrap_or(0.0)
}

fn read_load() -> Option<Load> {
    let mut load = Load {
        url: String::new(),
        runtime: "multi_thread".into(),
        agents: 1,
        requests: 1,
        tokens_per_reply: 100,
        ramp_ms: 0,
    };
    let mut words = std::env::args().skip(1);
    while let Some(name) = words.next() {
        let value = words.next()?;
        match name.as_str() {
            "--url" => load.url = value,
            "--runtime" => load.runtime = value,
            "--agents" => load.agents = value.parse().ok()?,
            "--requests" => load.requests = value.parse().ok()?,
            "--tokens-per-reply" => load.tokens_per_reply = value.parse().ok()?,
            "--ramp-ms" => load.ramp_ms = value.parse().ok()?,
            _ => return None,
        }
    }
    let known = matches!(load.runtime.as_str(), "multi_thread" | "local_set");
    (known && load.agents > 0 && !load.url.is_empty()).then_some(load)
}

fn main() {
    let load = read_load().unwrap_or_else(|| {
        eprintln!("usage: reqwest_peer --url URL [--runtime multi_thread|local_set] [--agents N] [--requests R] [--tokens-per-reply K] [--ramp-ms MS]");
        std::process::exit(2);
    });
    raise_file_limit();
    let began = now_ns();
    let mut seen = if load.runtime == "multi_thread" {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        runtime.block_on(all_agents(&load, |c, l, i| tokio::spawn(agent(c, l, i))))
    } else {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let local = tokio::task::LocalSet::new();
        local.block_on(&runtime, all_agents(&load, |c, l, i| tokio::task::spawn_local(agent(c, l, i))))
    };
    let wall = (now_ns() - began) as f64 * 1e-9;
    seen.delays.sort_by(f32::total_cmp);
    seen.ttfts.sort_by(f32::total_cmp);
    println!(
        r#"{{"client": "reqwest_{}", "agents": {}, "tokens": {}, "errors": {}, "wall_s": {:.6}, "ttft_us_p50": {:.1}, "delay_us_p50": {:.1}, "delay_us_p99": {:.1}, "delay_us_max": {:.1}}}"#,
        load.runtime,
        load.agents,
        seen.tokens,
        seen.errors,
        wall,
        quantile(&seen.ttfts, 0.5),
        quantile(&seen.delays, 0.5),
        quantile(&seen.delays, 0.99),
        seen.delays.last().copied().unwrap_or(0.0)
    );
    std::process::exit(i32::from(seen.errors > 0));
}
