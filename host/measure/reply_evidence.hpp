// Holds a server's own figures of a reply against the reply's arrival, and says which of them can be defended.
#pragma once

#include "measure/timeline.hpp"

namespace chimera::host {

/// Judges a reply that succeeded: fills in request.evidence and adds a remark for each contradiction. To be called
/// once, when the request is over; reads its pieces.
///
/// Arrivals. Two records came *together* when they were in one piece, or in pieces that arrived less than 0.1 ms apart
/// (unless the client itself was late for as long as they took to gather). Where more than half of the gaps are such,
/// and there are at least four, ITL, TPOT and a rate computed from arrivals describe whatever gathered the records, not
/// the server.
///
/// Tokens. A piece of text holds at least one token, and a token at least one byte: a count of less than half the
/// pieces is not taken (the pieces are counted), and a count above the bytes includes tokens that were not sent.
/// usage's reasoning_tokens without any reasoning in the stream were not sent either.
///
/// Durations. None may exceed the request by more than a tenth, and the tokens cannot have come over a time five times
/// as long as the decoding, or as the whole of the server's work. One contradiction, and none of the durations is
/// taken: a wrong unit is wrong in all.
void judge_reply(const agent_record&, request_record& request);

} // namespace chimera::host
