// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Lease, Result} from "src-contracts/types/Lease.sol";
import {Terms} from "src-contracts/types/Terms.sol";

/// @notice What one settled lease, or one seat of a panel, was paid for.
struct Earned {
    /// Who owned the node when it was paid.
    address owner;
    uint32 node;
    /// Compute units of all its shards.
    uint64 units;
    /// Price of one shard, in the job's currency.
    uint96 price;
    /// Number of shards.
    uint16 count;
}

/// @notice The Market's receipts: a hash of each settled lease, left where the lease lived.
interface IReceipts {
    /// @notice Takes the receipts of `leases` in and says what they were for, in their order. Only the credits contract may call; each
    /// receipt counts once, and one that is unknown, used, or of work that was not drawn and verified reverts the whole call.
    function redeem(Terms calldata terms, Lease[] calldata leases, Result[] calldata results)
        external
        returns (Earned[] memory);
}
