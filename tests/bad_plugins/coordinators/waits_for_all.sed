# A decision waits until all members have voted.
s/if (p.yes >= enough) {/if (p.votes.size() < members) return;\n    &/
