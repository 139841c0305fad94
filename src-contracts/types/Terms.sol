// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @notice Everything a requester agrees to. Lives in calldata and in `JobPosted`, never in storage: a job's id is the
/// EIP-712 hash of its terms, so whoever holds the id can check every field.
struct Terms {
    /// Who pays and may cancel.
    address requester;
    /// Allow-listed ERC-20 in which the price is paid.
    address currency;
    /// Price of one shard when claiming opens and at the end of the ramp, in the currency's smallest unit.
    uint96 minPrice;
    uint96 maxPrice;
    /// DPU a node locks for each shard it claims.
    uint96 bond;
    /// Number of shards, 1 … 16,777,215.
    uint32 shards;
    /// Most shards that one lease may take.
    uint16 maxLease;
    /// Runtime id (see `Parameters`).
    uint8 runtime;
    /// Least capability tier of a node; 0 asks for none.
    uint8 tier;
    /// Nodes that compute each lease.
    uint8 seats;
    /// No audit, and `submit` instead of commit and reveal.
    bool direct;
    /// Share of single-seat leases that are audited on top of the governed base rate, in basis points.
    uint16 auditBps;
    /// Version of the protocol's parameters that this job keeps for life.
    uint16 params;
    /// The only node that may claim; 0 lets every node take part in the draw.
    uint32 node;
    /// Second at which claiming and the price ramp begin; 0 means at once.
    uint40 start;
    /// Last second at which a shard may be claimed.
    uint40 expiry;
    /// Seconds over which the price rises from `minPrice` to `maxPrice`.
    uint32 ramp;
    /// Seconds a lease may take from claim to commit (or submit).
    uint32 exec;
    /// Seconds in which a revealed result may be challenged.
    uint32 window;
    /// sha2-256 of the canonical dag-cbor spec; the same 32 bytes are its CID.
    bytes32 spec;
    /// Job that must be complete before this one can be claimed; 0 for none.
    bytes32 afterJob;
    /// Chosen by the requester so that equal terms can be posted twice.
    uint256 salt;
}

using TermsLib for Terms global;

library TermsLib {
    bytes32 internal constant TYPEHASH = keccak256(
        "Terms(address requester,address currency,uint96 minPrice,uint96 maxPrice,uint96 bond,uint32 shards,"
        "uint16 maxLease,uint8 runtime,uint8 tier,uint8 seats,bool direct,uint16 auditBps,uint16 params,uint32 node,"
        "uint40 start,uint40 expiry,uint32 ramp,uint32 exec,uint32 window,bytes32 spec,bytes32 afterJob,uint256 salt)"
    );

    /// @dev Every field is static, so the calldata words are the EIP-712 encoding. Words with dirty high bits hash to an id
    /// that can never be posted, because posting reads (and so validates) every field.
    function structHash(Terms calldata self) internal pure returns (bytes32 digest) {
        bytes32 typehash = TYPEHASH;
        assembly ("memory-safe") {
            let at := mload(0x40)
            mstore(at, typehash)
            calldatacopy(add(at, 0x20), self, 0x2c0) // 22 words
            digest := keccak256(at, 0x2e0)
        }
    }

    /// @notice Most that the job can cost, fee included.
    function worstCase(Terms calldata self) internal pure returns (uint256) {
        return uint256(self.shards) * self.maxPrice;
    }

    /// @notice DPU that would be locked if one node held everything.
    function worstBond(Terms calldata self) internal pure returns (uint256) {
        return uint256(self.shards) * self.bond;
    }

    /// @notice Price of one shard at `time`, when the ramp began at `from`. Rounds down, against the node.
    function priceAt(Terms calldata self, uint256 from, uint256 time) internal pure returns (uint96) {
        if (time <= from) return self.minPrice;
        uint256 elapsed = time - from;
        if (elapsed >= self.ramp) return self.maxPrice;
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint96(self.minPrice + (uint256(self.maxPrice - self.minPrice) * elapsed) / self.ramp); // ≤ maxPrice
    }
}
