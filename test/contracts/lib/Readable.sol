// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Lease as PackedLease, LeaseWord, LeaseWordLib} from "src-contracts/types/Lease.sol";
import {Rules} from "src-contracts/types/Rules.sol";
import {Terms as PackedTerms} from "src-contracts/types/Terms.sol";

/// @dev Terms field by field, as people sign them. Tests change fields and pack them for the contract.
struct Terms {
    address requester;
    address currency;
    uint96 minPrice;
    uint96 maxPrice;
    uint96 bond;
    uint32 shards;
    uint16 maxLease;
    uint8 runtime;
    uint8 tier;
    uint8 seats;
    bool direct;
    bool tolerant;
    uint16 auditBps;
    Rules rules;
    uint32 node;
    uint40 start;
    uint40 expiry;
    uint32 ramp;
    uint32 exec;
    uint32 window;
    bytes32 spec;
    bytes32 afterJob;
    uint64 salt;
}

/// @dev A lease field by field.
struct Lease {
    uint32 first;
    uint16 count;
    uint32 node;
    uint96 price;
    uint64 bonus;
    uint40 deadline;
    uint8 flags;
    bytes32 commitment;
    uint40 committedBlock;
}

using Packing for Terms global;
using Packing for Lease global;

library Packing {
    function pack(Terms memory t) internal pure returns (PackedTerms memory p) {
        p.parties = (uint256(uint160(t.requester)) << 96) | t.bond;
        p.money = (uint256(uint160(t.currency)) << 96) | t.maxPrice;
        p.shape = (uint256(t.minPrice) << 160) | (uint256(t.node) << 128) | (uint256(t.shards) << 96)
            | (uint256(t.ramp) << 64) | (uint256(t.auditBps) << 48) | (uint256(t.maxLease) << 32)
            | (uint256(t.runtime) << 24) | (uint256(t.tier) << 16) | (uint256(t.seats) << 8) | (t.direct ? 1 : 0)
            | (t.tolerant ? 2 : 0);
        p.times = (uint256(t.salt) << 144) | (uint256(t.start) << 104) | (uint256(t.expiry) << 64)
            | (uint256(t.exec) << 32) | t.window;
        p.rules = t.rules;
        p.spec = t.spec;
        p.afterJob = t.afterJob;
    }

    function pack(Terms[] memory list) internal pure returns (PackedTerms[] memory packed) {
        packed = new PackedTerms[](list.length);
        for (uint256 i; i < list.length; ++i) {
            packed[i] = pack(list[i]);
        }
    }

    /// @dev Flags of a lease of `count` shards.
    function flagsOf(Terms memory t, uint256 count) internal pure returns (uint8) {
        return (count == t.shards ? LeaseWordLib.SOLO : 0) | (t.direct ? LeaseWordLib.DIRECT : 0);
    }

    /// @dev The lease's word after the claim.
    function word(Lease memory l) internal pure returns (LeaseWord) {
        return LeaseWordLib.claimed(l.flags, l.deadline, l.node, l.count, l.price, l.bonus);
    }

    function pack(Lease memory l) internal pure returns (PackedLease memory) {
        return PackedLease(word(l), (uint256(l.committedBlock) << 32) | l.first, l.commitment);
    }

    function pack(Lease[] memory list) internal pure returns (PackedLease[] memory packed) {
        packed = new PackedLease[](list.length);
        for (uint256 i; i < list.length; ++i) {
            packed[i] = pack(list[i]);
        }
    }

    /// @dev A claimed word field by field.
    function readable(LeaseWord w, uint32 first) internal pure returns (Lease memory l) {
        l.first = first;
        l.count = w.count();
        l.node = w.node();
        l.price = w.price();
        l.bonus = w.bonus();
        l.deadline = w.at();
        l.flags = w.flags();
    }
}
