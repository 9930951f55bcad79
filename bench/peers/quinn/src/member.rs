//! One member: in each cycle its messages, then a decision of its own and its votes on those of the others.
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Barrier;

use crate::frame::{Frame, Kind, Reader};
use crate::Fault;

#[derive(Clone, Copy)]
pub struct Work {
    pub cycles: usize,
    pub messages: usize,
    pub bytes: usize,
    pub in_flight: usize,
}

pub struct Seen {
    pub began: Instant,
    pub ended: Instant,
    pub round_trips_ns: Vec<u64>,
    pub decisions_ns: Vec<u64>,
}

struct Member {
    number: u32,
    send: quinn::SendStream,
    receive: Reader,
}

impl Member {
    async fn say(&mut self, f: Frame) -> Result<(), Fault> {
        Ok(self.send.write_all(&Frame { from: self.number, ..f }.to_bytes()).await?)
    }

    /// The next frame that is not a proposal; votes on those.
    async fn next(&mut self) -> Result<Frame, Fault> {
        loop {
            let f = self.receive.next().await?;
            if f.kind != Kind::Proposal {
                return Ok(f);
            }
            self.say(Frame { kind: Kind::Vote, number: f.number, phase: 1, yes: true, ..Frame::default() }).await?;
        }
    }

    async fn exchange(&mut self, work: &Work, sequence: &mut u64, seen: &mut Seen) -> Result<(), Fault> {
        let mut sent = std::collections::VecDeque::new();
        let mut left = work.messages;
        while left > 0 || !sent.is_empty() {
            while left > 0 && sent.len() < work.in_flight {
                *sequence += 1;
                left -= 1;
                sent.push_back(Instant::now());
                let body = vec![200; work.bytes];
                self.say(Frame { kind: Kind::Message, sequence: *sequence, body, ..Frame::default() }).await?;
            }
            if self.next().await?.kind == Kind::Message {
                let at = sent.pop_front().ok_or("an answer to nothing")?;
                seen.round_trips_ns.push(at.elapsed().as_nanos() as u64);
            }
        }
        Ok(())
    }

    async fn decide(&mut self, number: u64, seen: &mut Seen) -> Result<(), Fault> {
        let began = Instant::now();
        let f = Frame { kind: Kind::Propose, number, decision_class: 4, body: vec![200; 32], ..Frame::default() };
        self.say(Frame { text: "merge".to_string(), ..f }).await?;
        loop {
            let f = self.next().await?;
            if f.kind == Kind::Decision && f.number == number {
                seen.decisions_ns.push(began.elapsed().as_nanos() as u64);
                return Ok(());
            }
        }
    }
}

/// The member's whole life: all begin together, and all stay until the last has ended.
pub async fn run(
    endpoint: quinn::Endpoint,
    hub: SocketAddr,
    number: u32,
    work: Work,
    together: Arc<Barrier>,
) -> Result<Seen, Fault> {
    let connection = endpoint.connect(hub, "localhost")?.await?;
    let (send, receive) = connection.open_bi().await?;
    let mut member = Member { number, send, receive: Reader::new(receive) };
    member.say(Frame::default()).await?; // a stream is known to the other side by its first bytes
    together.wait().await;
    let now = Instant::now();
    let mut seen = Seen { began: now, ended: now, round_trips_ns: Vec::new(), decisions_ns: Vec::new() };
    let mut sequence = 0;
    for cycle in 0..work.cycles as u64 {
        member.exchange(&work, &mut sequence, &mut seen).await?;
        member.decide(cycle << 32 | u64::from(number) + 1, &mut seen).await?;
    }
    seen.ended = Instant::now();
    // Votes on what the others proposed last: until all are done.
    let done = together.wait();
    tokio::pin!(done);
    loop {
        tokio::select! {
            _ = &mut done => return Ok(seen),
            f = member.next() => { f?; }
        }
    }
}
