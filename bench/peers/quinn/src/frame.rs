//! The fields of chimera's frames (plugins/coordinators/frame), as serde writes such a struct, behind a length.
use serde::{Deserialize, Serialize};

use crate::Fault;

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    #[default]
    Hello,
    Message,
    Propose,
    Proposal,
    Vote,
    Decision,
}

#[derive(Clone, Default, Debug, Serialize, Deserialize)]
pub struct Frame {
    pub kind: Kind,
    pub from: u32,
    pub to: u32,
    pub channel: u32,
    pub number: u64,
    pub sequence: u64,
    pub time_ns: u64,
    pub time2_ns: u64,
    pub epoch: u64,
    pub incarnation: u64,
    pub phase: u8,
    pub decision_class: u8,
    pub outcome: u8,
    pub yes: bool,
    pub codecs: u32,
    pub max_message: u32,
    pub votes_for: u32,
    pub votes_against: u32,
    pub text: String,
    pub body: Vec<u8>,
    pub digest: String,
    pub signature: String,
    pub key: String,
}

impl Frame {
    /// Behind its length in 4 bytes, little-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; 4];
        serde_json::to_writer(&mut bytes, self).expect("a vector takes all");
        let length = (bytes.len() - 4) as u32;
        bytes[..4].copy_from_slice(&length.to_le_bytes());
        bytes
    }
}

/// Reads frames from a stream. Its memory is used again.
pub struct Reader {
    stream: quinn::RecvStream,
    payload: Vec<u8>,
}

impl Reader {
    pub fn new(stream: quinn::RecvStream) -> Self {
        Reader { stream, payload: Vec::new() }
    }

    pub async fn next(&mut self) -> Result<Frame, Fault> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length).await?;
        let length = u32::from_le_bytes(length) as usize;
        if length > 1 << 20 {
            return Err("a frame is too long".into());
        }
        self.payload.resize(length, 0);
        self.stream.read_exact(&mut self.payload).await?;
        Ok(serde_json::from_slice(&self.payload)?)
    }
}
