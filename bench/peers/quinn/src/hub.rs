//! Answers messages, sends proposals to all, and decides when all have voted.
use std::collections::HashMap;

use tokio::sync::mpsc::{unbounded_channel, UnboundedReceiver, UnboundedSender};

use crate::frame::{Frame, Kind, Reader};
use crate::Fault;

const ANSWER: usize = 64;

async fn write(mut stream: quinn::SendStream, mut frames: UnboundedReceiver<Vec<u8>>) -> Result<(), Fault> {
    while let Some(bytes) = frames.recv().await {
        stream.write_all(&bytes).await?;
    }
    Ok(())
}

async fn read(mut from: Reader, to: UnboundedSender<(usize, Frame)>, member: usize) -> Result<(), Fault> {
    loop {
        to.send((member, from.next().await?))?;
    }
}

/// Waits for `members` connections, and serves them until it is aborted.
pub async fn run(endpoint: quinn::Endpoint, members: usize) -> Result<(), Fault> {
    let (arrived, mut arrivals) = unbounded_channel();
    let mut to_members = Vec::new();
    let mut connections = Vec::new();
    for member in 0..members {
        let connection = endpoint.accept().await.ok_or("the endpoint was closed")?.await?;
        let (send, receive) = connection.accept_bi().await?;
        let (frames, queue) = unbounded_channel();
        tokio::spawn(write(send, queue));
        tokio::spawn(read(Reader::new(receive), arrived.clone(), member));
        to_members.push(frames);
        connections.push(connection);
    }
    let to_all = |f: &Frame| {
        for to in &to_members {
            let _ = to.send(f.to_bytes()); // each is written for itself, as a system without shared buffers does
        }
    };
    let mut votes: HashMap<u64, (usize, usize)> = HashMap::new(); // by proposal: for, all
    while let Some((member, f)) = arrivals.recv().await {
        match f.kind {
            Kind::Message => {
                let answer =
                    Frame { kind: Kind::Message, to: f.from, sequence: f.sequence, body: vec![7; ANSWER], ..f };
                let _ = to_members[member].send(answer.to_bytes());
            }
            Kind::Propose => to_all(&Frame { kind: Kind::Proposal, ..f }),
            Kind::Vote => {
                let counted = votes.entry(f.number).or_default();
                counted.0 += usize::from(f.yes);
                counted.1 += 1;
                if counted.1 == members {
                    let yes = counted.0;
                    votes.remove(&f.number);
                    to_all(&Frame {
                        kind: Kind::Decision,
                        number: f.number,
                        outcome: if 2 * yes > members { 1 } else { 2 },
                        votes_for: yes as u32,
                        votes_against: (members - yes) as u32,
                        ..Frame::default()
                    });
                }
            }
            _ => {}
        }
    }
    Ok(())
}
