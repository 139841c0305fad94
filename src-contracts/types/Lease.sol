// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Hash} from "src-contracts/types/Hash.sol";

/// @notice Where a lease stands.
enum Phase {
    None,
    Claimed,
    Committed,
    Revealed,
    Lapsed,
    /// Several nodes sit on the range: the word is a `PanelWord`.
    Seated,
    /// Shards of it are before juries: the body is the first 192 bits of the revealed one, and how many there are; `at` is still when it was
    /// revealed.
    Disputed,
    /// A seat that a jury found wrong; its bond is gone.
    Convicted,
    /// It was paid for drawn work; the body is its receipt, until credits are minted against it.
    Settled,
    /// A seat that a jury could not judge, or found to be about an impossible job; its bond is free, and the body is what the job has paid for it.
    Excused
}

/// @notice A lease as its holder describes it in calldata; the contract checks it against one storage word.
struct Lease {
    /// The lease's word right after the claim, as `LeaseClaimed` says it: deadline, node, count, price, bonus.
    LeaseWord claimed;
    /// `committedBlock 40 | first 32`. Block of the commit, zero before (the block after it seeds the audit draw); first shard.
    uint256 place;
    /// What was committed; zero before.
    bytes32 commitment;
}

/// @notice What a node says it computed for a lease.
struct Result {
    /// Merkle root over the leaves (shard, hash, units).
    bytes32 root;
    /// Sum of the shards' compute units.
    uint64 units;
    /// sha2-256 of the dag-cbor manifest; the same 32 bytes are its CID.
    bytes32 manifest;
}

/// @notice The one storage word of a lease: `flags 8 | at 40 | body 208`.
/// @dev Claimed: `at` is the deadline and the body is readable. Committed and Revealed: `at` is when it happened and the
/// body is the first 208 bits of a hash whose preimage comes in calldata (104 bits against collisions). Lapsed: `at` is
/// when it lapsed, the body is readable. One word instead of four saves 66k gas over a lease's life.
type LeaseWord is uint256;

using LeaseLib for Lease global;
using LeaseWordLib for LeaseWord global;

library LeaseLib {
    /// @notice The root of a node that found that the job cannot be done as it is described. Unchallenged, it earns part of the price.
    bytes32 internal constant SPEC_FAULT = keccak256("DPU spec fault");

    /// @notice First shard of the range.
    function first(Lease calldata self) internal pure returns (uint32) {
        return uint32(self.place);
    }

    /// @notice Block of the commit; zero before.
    function committedBlock(Lease calldata self) internal pure returns (uint256) {
        return uint40(self.place >> 32);
    }

    /// @notice Body of the word while committed.
    function committedBody(Lease calldata self) internal pure returns (uint208) {
        uint256 claimed = LeaseWord.unwrap(self.claimed);
        return uint208(uint256(Hash.words(claimed, uint256(self.commitment), self.committedBlock())) >> 48);
    }

    /// @notice Body of the word while revealed.
    function revealedBody(LeaseWord claimed, Result calldata result) internal pure returns (uint208) {
        (uint256 word, uint256 root) = (LeaseWord.unwrap(claimed), uint256(result.root));
        return uint208(uint256(Hash.words(word, root, result.units, uint256(result.manifest))) >> 48);
    }
}

library LeaseWordLib {
    /// The lease covers its whole job and lives in the job's own slot.
    uint8 internal constant SOLO = 0x80;
    /// The job is direct.
    uint8 internal constant DIRECT = 0x40;
    /// One of several seats: its word is under a key of range and node, and the range's slot holds a `PanelWord`.
    uint8 internal constant SEAT = 0x20;
    /// A jury has taken part of its bond: the tab says how much.
    uint8 internal constant TRIMMED = 0x10;
    uint8 internal constant PHASE_MASK = 0x0f;

    function make(uint8 flags_, Phase phase_, uint256 at_, uint208 body_) internal pure returns (LeaseWord) {
        return LeaseWord.wrap((uint256(flags_ | uint8(phase_)) << 248) | (at_ << 208) | body_);
    }

    function claimed(uint8 flags_, uint40 deadline, uint32 node_, uint16 count_, uint96 price_, uint64 bonus_)
        internal
        pure
        returns (LeaseWord)
    {
        uint256 body_ = (uint256(node_) << 176) | (uint256(count_) << 160) | (uint256(price_) << 64) | bonus_;
        // forge-lint: disable-next-line(unsafe-typecast)
        return make(flags_, Phase.Claimed, deadline, uint208(body_)); // 32 + 16 + 96 + 64 = 208 bits
    }

    function lapsed(uint256 at_, uint32 node_, uint16 count_, uint64 bonus_) internal pure returns (LeaseWord) {
        uint256 body_ = (uint256(node_) << 176) | (uint256(count_) << 160) | bonus_;
        // forge-lint: disable-next-line(unsafe-typecast)
        return make(0, Phase.Lapsed, at_, uint208(body_));
    }

    /// @notice The word while `open` of its shards are before juries; `revealed` is the body that it had, or has had.
    function disputed(uint8 flags_, uint256 at_, uint208 revealed, uint16 open) internal pure returns (LeaseWord) {
        return make(flags_, Phase.Disputed, at_, (revealed & ~uint208(0xffff)) | open);
    }

    /// @notice How many of its shards are before juries.
    function open(LeaseWord self) internal pure returns (uint16) {
        return self.phase() == Phase.Disputed ? uint16(LeaseWord.unwrap(self)) : 0;
    }

    /// @notice Whether the word, revealed or disputed, stands for a result with this body when revealed.
    function stands(LeaseWord self, uint208 revealed) internal pure returns (bool) {
        if (self.phase() == Phase.Revealed) return self.body() == revealed;
        return self.phase() == Phase.Disputed && self.body() >> 16 == revealed >> 16;
    }

    function flags(LeaseWord self) internal pure returns (uint8) {
        return uint8(LeaseWord.unwrap(self) >> 248) & ~PHASE_MASK;
    }

    function phase(LeaseWord self) internal pure returns (Phase) {
        return Phase(uint8(LeaseWord.unwrap(self) >> 248) & PHASE_MASK);
    }

    function at(LeaseWord self) internal pure returns (uint40) {
        return uint40(LeaseWord.unwrap(self) >> 208);
    }

    function body(LeaseWord self) internal pure returns (uint208) {
        return uint208(LeaseWord.unwrap(self));
    }

    /// @dev Readable while Claimed or Lapsed, and in what a holder describes.
    function node(LeaseWord self) internal pure returns (uint32) {
        return uint32(LeaseWord.unwrap(self) >> 176);
    }

    function count(LeaseWord self) internal pure returns (uint16) {
        return uint16(LeaseWord.unwrap(self) >> 160);
    }

    function price(LeaseWord self) internal pure returns (uint96) {
        return uint96(LeaseWord.unwrap(self) >> 64);
    }

    function bonus(LeaseWord self) internal pure returns (uint64) {
        return uint64(LeaseWord.unwrap(self));
    }
}
