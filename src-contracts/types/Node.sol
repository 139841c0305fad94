// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @notice A staked operator. Three slots; the first is the only one that work writes.
struct Node {
    // slot 0: written by claim, lapse and settle
    /// DPU at stake, bonds and queued exits included.
    uint96 stake;
    /// DPU locked as bonds of living leases.
    uint96 locked;
    /// Last second at which stake was added or runtimes changed. A younger node waits until a job is open to everyone, so
    /// that nobody can grind node ids against a known seed.
    uint40 since;
    /// Record in basis points: rises with settled work, falls with lapses; scales the draw.
    uint16 record;
    /// Whether anything is queued to leave, so that claims need not read slot 2.
    bool exiting;
    // slot 1: read by every call of the hot key
    /// Hot key: may claim, commit, submit and reveal, never move stake.
    address operator;
    /// Bit r is set when the node offers runtime r.
    uint32 runtimes;
    /// Proven capability tier and the last second at which it counts.
    uint8 tier;
    uint40 tierUntil;
    // slot 2: read at settlement
    /// Cold key: holds the stake and is paid.
    address owner;
    /// DPU waiting to leave; slashable until it has left.
    uint96 queued;
    // slot 3
    /// Second at which `queued` may leave.
    uint40 unstakeAt;
    /// age X25519 recipient for private inputs; zero when none.
    bytes32 key;
    /// Base URL or multiaddr of the node's trustless gateway.
    string endpoint;
}
