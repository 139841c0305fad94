// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Rules} from "src-contracts/types/Rules.sol";

/// @notice Everything a requester agrees to, in seven words. Lives in calldata and in `JobPosted`, never in storage: a job's id is the
/// EIP-712 hash of its terms, field by field (see `TermsLib.TYPEHASH`), so whoever holds the id can check every field, and
/// a wallet shows each by its name.
/// @dev Packed, because every word of a step's calldata is paid again at every step: 22 words cost about 1,900 gas more a call, and
/// 3,900 more in the event. Bits that no field uses are not part of the id.
struct Terms {
    /// `requester 160 | bond 96`. Who pays and may cancel; DPU wei a node locks for each shard it claims.
    uint256 parties;
    /// `currency 160 | maxPrice 96`. Allow-listed ERC-20; price of one shard at the end of the ramp, in its smallest unit.
    uint256 money;
    /// `minPrice 96 | node 32 | shards 32 | ramp 32 | auditBps 16 | maxLease 16 | runtime 8 | tier 8 | seats 8 | flags 8`; flags: 1 direct,
    /// 2 tolerant.
    uint256 shape;
    /// `salt 64 | start 40 | expiry 40 | exec 32 | window 32`.
    uint256 times;
    /// The protocol's numbers that this job keeps for life: the newest when it is posted.
    Rules rules;
    /// sha2-256 of the canonical dag-cbor spec; the same 32 bytes are its CID.
    bytes32 spec;
    /// Job that must be complete before this one can be claimed; 0 for none.
    bytes32 afterJob;
}

using TermsLib for Terms global;

library TermsLib {
    bytes32 internal constant TYPEHASH = keccak256(
        "Terms(address requester,address currency,uint96 minPrice,uint96 maxPrice,uint96 bond,uint32 shards,"
        "uint16 maxLease,uint8 runtime,uint8 tier,uint8 seats,bool direct,bool tolerant,uint16 auditBps,uint152 rules,uint32 node,"
        "uint40 start,uint40 expiry,uint32 ramp,uint32 exec,uint32 window,bytes32 spec,bytes32 afterJob,uint64 salt)"
    );

    /* IDENTITY */

    /// @dev Unpacks into the 23 words that EIP-712 asks for.
    function structHash(Terms calldata self) internal pure returns (bytes32 digest) {
        bytes32 typehash = TYPEHASH;
        assembly ("memory-safe") {
            let at := mload(0x40)
            let parties := calldataload(self)
            let money := calldataload(add(self, 0x20))
            let shape := calldataload(add(self, 0x40))
            let times := calldataload(add(self, 0x60))
            mstore(at, typehash)
            mstore(add(at, 0x20), shr(96, parties)) // requester
            mstore(add(at, 0x40), shr(96, money)) // currency
            mstore(add(at, 0x60), shr(160, shape)) // minPrice
            mstore(add(at, 0x80), and(money, 0xffffffffffffffffffffffff)) // maxPrice
            mstore(add(at, 0xa0), and(parties, 0xffffffffffffffffffffffff)) // bond
            mstore(add(at, 0xc0), and(shr(96, shape), 0xffffffff)) // shards
            mstore(add(at, 0xe0), and(shr(32, shape), 0xffff)) // maxLease
            mstore(add(at, 0x100), byte(28, shape)) // runtime
            mstore(add(at, 0x120), byte(29, shape)) // tier
            mstore(add(at, 0x140), byte(30, shape)) // seats
            mstore(add(at, 0x160), and(shape, 1)) // direct
            mstore(add(at, 0x180), and(shr(1, shape), 1)) // tolerant
            mstore(add(at, 0x1a0), and(shr(48, shape), 0xffff)) // auditBps
            calldatacopy(add(at, 0x1c0), add(self, 0x80), 0x20) // rules
            mstore(add(at, 0x1e0), and(shr(128, shape), 0xffffffff)) // node
            mstore(add(at, 0x200), and(shr(104, times), 0xffffffffff)) // start
            mstore(add(at, 0x220), and(shr(64, times), 0xffffffffff)) // expiry
            mstore(add(at, 0x240), and(shr(64, shape), 0xffffffff)) // ramp
            mstore(add(at, 0x260), and(shr(32, times), 0xffffffff)) // exec
            mstore(add(at, 0x280), and(times, 0xffffffff)) // window
            calldatacopy(add(at, 0x2a0), add(self, 0xa0), 0x40) // spec, afterJob
            mstore(add(at, 0x2e0), and(shr(144, times), 0xffffffffffffffff)) // salt
            digest := keccak256(at, 0x300)
        }
    }

    /* FIELDS */

    /// @notice Who pays and may cancel.
    function requester(Terms calldata self) internal pure returns (address) {
        return address(uint160(self.parties >> 96));
    }

    /// @notice DPU wei a node locks for each shard it claims.
    function bond(Terms calldata self) internal pure returns (uint256) {
        return uint96(self.parties);
    }

    /// @notice Allow-listed ERC-20 in which the price is paid.
    function currency(Terms calldata self) internal pure returns (address) {
        return address(uint160(self.money >> 96));
    }

    /// @notice Price of one shard at the end of the ramp, in the currency's smallest unit.
    function maxPrice(Terms calldata self) internal pure returns (uint256) {
        return uint96(self.money);
    }

    /// @notice Price of one shard when claiming opens.
    function minPrice(Terms calldata self) internal pure returns (uint256) {
        return self.shape >> 160;
    }

    /// @notice The only node that may claim; 0 lets every node take part in the draw.
    function node(Terms calldata self) internal pure returns (uint32) {
        return uint32(self.shape >> 128);
    }

    /// @notice Number of shards, 1 … 16,777,215.
    function shards(Terms calldata self) internal pure returns (uint256) {
        return uint32(self.shape >> 96);
    }

    /// @notice Seconds over which the price rises from `minPrice` to `maxPrice`.
    function ramp(Terms calldata self) internal pure returns (uint256) {
        return uint32(self.shape >> 64);
    }

    /// @notice Share of single-seat leases that the requester has audited, and pays for, beside the governed base rate; basis points.
    function auditBps(Terms calldata self) internal pure returns (uint256) {
        return uint16(self.shape >> 48);
    }

    /// @notice Most shards that one lease may take.
    function maxLease(Terms calldata self) internal pure returns (uint16) {
        return uint16(self.shape >> 32);
    }

    /// @notice Runtime id (see `Parameters`).
    function runtime(Terms calldata self) internal pure returns (uint8) {
        return uint8(self.shape >> 24);
    }

    /// @notice Least capability tier of a node; 0 asks for none.
    function tier(Terms calldata self) internal pure returns (uint8) {
        return uint8(self.shape >> 16);
    }

    /// @notice Nodes that compute each lease: 1, 3 or 5.
    function seats(Terms calldata self) internal pure returns (uint8) {
        return uint8(self.shape >> 8);
    }

    /// @notice No audit, and `submit` instead of commit and reveal.
    function direct(Terms calldata self) internal pure returns (bool) {
        return self.shape & 1 != 0;
    }

    /// @notice Results that differ may both be right (see the spec's comparator): the chain does not compare roots; who doubts one challenges.
    function tolerant(Terms calldata self) internal pure returns (bool) {
        return self.shape & 2 != 0;
    }

    /// @notice Second at which claiming and the price ramp begin; 0 means at once.
    function start(Terms calldata self) internal pure returns (uint40) {
        return uint40(self.times >> 104);
    }

    /// @notice Last second at which a shard may be claimed.
    function expiry(Terms calldata self) internal pure returns (uint40) {
        return uint40(self.times >> 64);
    }

    /// @notice Seconds a lease may take from claim to commit (or submit).
    function exec(Terms calldata self) internal pure returns (uint32) {
        return uint32(self.times >> 32);
    }

    /// @notice Seconds in which a revealed result may be challenged.
    function window(Terms calldata self) internal pure returns (uint32) {
        return uint32(self.times);
    }

    /* SUMS */

    /// @notice Most that one shard can cost, fee included: every seat at the end of the ramp, and an auditor where the requester buys audits.
    function worstShard(Terms calldata self) internal pure returns (uint256) {
        unchecked {
            return self.maxPrice() * (uint256(self.seats()) + (self.auditBps() == 0 ? 0 : 1)); // 96 + 9 bits
        }
    }

    /// @notice Most that the job can cost, fee included.
    function worstCase(Terms calldata self) internal pure returns (uint256) {
        unchecked {
            return self.shards() * self.worstShard(); // 32 + 105 bits
        }
    }

    /// @notice DPU that would be locked if one node held everything.
    function worstBond(Terms calldata self) internal pure returns (uint256) {
        unchecked {
            return self.shards() * self.bond(); // 32 + 96 bits
        }
    }

    /// @notice Price of one shard at `time`, when the ramp began at `from`. Rounds down, against the node.
    function priceAt(Terms calldata self, uint256 from, uint256 time) internal pure returns (uint96) {
        uint256 least = self.minPrice();
        // forge-lint: disable-start(unsafe-typecast)
        if (time <= from) return uint96(least);
        uint256 most = self.maxPrice();
        uint256 ramp_ = self.ramp();
        uint256 elapsed;
        unchecked {
            elapsed = time - from; // see above
        }
        if (elapsed >= ramp_) return uint96(most);
        uint256 span = most - least;
        unchecked {
            return uint96(least + span * elapsed / ramp_); // ≤ maxPrice; 96 + 32 bits on the way
        }
        // forge-lint: disable-end(unsafe-typecast)
    }
}
