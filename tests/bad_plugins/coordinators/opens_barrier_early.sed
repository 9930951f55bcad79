# A barrier opens for the first who comes.
s/if (waiting.size() < here) continue;/if (waiting.empty()) continue;/
