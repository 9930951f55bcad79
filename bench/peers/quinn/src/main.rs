//! The reported coordination system's work in its shape: a hub and its members in one process on one thread of tokio,
//! JSON over QUIC on loopback, one message for each round trip, and every vote awaited.
mod frame;
mod hub;
mod member;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

type Fault = Box<dyn std::error::Error + Send + Sync>;

pub struct Options {
    cycles: usize,
    members: usize,
    messages: usize,
    bytes: usize,
    in_flight: usize,
    handshakes_s: f64,
    certificate: PathBuf,
    key: PathBuf,
}

fn options() -> Result<Options, Fault> {
    let mut o = Options {
        cycles: 200,
        members: 4,
        messages: 10,
        bytes: 1024,
        in_flight: 1,
        handshakes_s: 0.0,
        certificate: PathBuf::new(),
        key: PathBuf::new(),
    };
    let mut given = std::env::args().skip(1);
    while let Some(name) = given.next() {
        let value = given.next().ok_or(format!("{name} needs a value"))?;
        match name.as_str() {
            "--cycles" => o.cycles = value.parse()?,
            "--members" => o.members = value.parse()?,
            "--messages" => o.messages = value.parse()?,
            "--bytes" => o.bytes = value.parse()?,
            "--in-flight" => o.in_flight = value.parse()?,
            "--handshakes" => o.handshakes_s = value.parse()?,
            "--certificate" => o.certificate = value.into(),
            "--key" => o.key = value.into(),
            _ => return Err(format!("unknown option {name}").into()),
        }
    }
    if o.cycles == 0 || o.members == 0 || o.messages == 0 || o.in_flight == 0 {
        return Err("--cycles, --members, --messages and --in-flight are at least 1".into());
    }
    Ok(o)
}

/// Takes any certificate that the hub proves to own (rustls checks the handshake's signature), without a chain of trust.
struct AnyHub;

impl rustls::client::ServerCertVerifier for AnyHub {
    fn verify_server_cert(
        &self,
        _: &rustls::Certificate,
        _: &[rustls::Certificate],
        _: &rustls::ServerName,
        _: &mut dyn Iterator<Item = &[u8]>,
        _: &[u8],
        _: std::time::SystemTime,
    ) -> Result<rustls::client::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::ServerCertVerified::assertion())
    }
}

fn server(o: &Options) -> Result<quinn::Endpoint, Fault> {
    let certificate = rustls::Certificate(std::fs::read(&o.certificate)?);
    let key = rustls::PrivateKey(std::fs::read(&o.key)?);
    let config = quinn::ServerConfig::with_single_cert(vec![certificate], key)?;
    Ok(quinn::Endpoint::server(config, "127.0.0.1:0".parse()?)?)
}

fn client() -> Result<quinn::Endpoint, Fault> {
    let mut endpoint = quinn::Endpoint::client("127.0.0.1:0".parse()?)?;
    let mut tls = rustls::ClientConfig::builder()
        .with_safe_defaults()
        .with_custom_certificate_verifier(Arc::new(AnyHub))
        .with_no_client_auth();
    tls.session_storage = Arc::new(rustls::client::NoClientSessionStorage {}); // every handshake is a whole one
    endpoint.set_default_client_config(quinn::ClientConfig::new(Arc::new(tls)));
    Ok(endpoint)
}

async fn handshakes(o: &Options) -> Result<serde_json::Value, Fault> {
    let hub = server(o)?;
    let address = hub.local_addr()?;
    tokio::spawn(async move {
        while let Some(connecting) = hub.accept().await {
            tokio::spawn(async move {
                if let Ok(connection) = connecting.await {
                    connection.closed().await;
                }
            });
        }
    });
    let from = client()?;
    let began = Instant::now();
    let mut done = 0u64;
    while began.elapsed() < Duration::from_secs_f64(o.handshakes_s) {
        let connection = from.connect(address, "localhost")?.await?;
        connection.close(0u32.into(), b"");
        done += 1;
    }
    Ok(serde_json::json!({ "handshakes_per_s": done as f64 / began.elapsed().as_secs_f64() }))
}

fn p50(mut ns: Vec<u64>) -> f64 {
    ns.sort_unstable();
    ns[ns.len() / 2] as f64 / 1000.0
}

async fn cycles(o: &Options) -> Result<serde_json::Value, Fault> {
    let endpoint = server(o)?;
    let address = endpoint.local_addr()?;
    let hub = tokio::spawn(hub::run(endpoint, o.members));
    let start = Arc::new(tokio::sync::Barrier::new(o.members));
    let work = member::Work { cycles: o.cycles, messages: o.messages, bytes: o.bytes, in_flight: o.in_flight };
    let mut members = Vec::new();
    for number in 0..o.members {
        members.push(tokio::spawn(member::run(client()?, address, number as u32, work, start.clone())));
    }
    let mut seen = Vec::new();
    for m in members {
        seen.push(m.await??);
    }
    hub.abort();
    let began = seen.iter().map(|s| s.began).min().unwrap();
    let ended = seen.iter().map(|s| s.ended).max().unwrap();
    let ms = (ended - began).as_secs_f64() * 1000.0;
    Ok(serde_json::json!({
        "ms_per_100_cycles": ms * 100.0 / o.cycles as f64,
        "round_trip_us_p50": p50(seen.iter().flat_map(|s| s.round_trips_ns.clone()).collect()),
        "decision_us_p50": p50(seen.iter().flat_map(|s| s.decisions_ns.clone()).collect()),
        "cycles": o.cycles,
    }))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fault> {
    let o = options()?;
    let result = if o.handshakes_s > 0.0 { handshakes(&o).await? } else { cycles(&o).await? };
    println!("{result}");
    Ok(())
}
