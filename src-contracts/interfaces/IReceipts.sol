// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Lease, Result} from "src-contracts/types/Lease.sol";
import {Terms} from "src-contracts/types/Terms.sol";

/// @notice What one node was paid for.
struct Earned {
    /// Who was paid.
    address owner;
    uint32 node;
    /// Compute units of the range.
    uint64 units;
    /// Price of one shard, in the job's currency.
    uint96 price;
    /// Shards.
    uint16 count;
}

/// @notice Receipts of settled work, each good for once. Drawn work that was paid after its challenge window leaves one; direct work, work for a
/// named node and work accepted by signature leave none.
interface IReceipts {
    /// @notice Thrown when someone else than the credits contract redeems.
    error NotCredits(address caller);
    /// @notice Thrown when there is no such receipt, or it was redeemed.
    error ReceiptUnknown(bytes32 id, uint32 first);

    /// @notice Takes the receipts of single leases and says what was earned. Only the credits contract.
    function redeem(Terms calldata terms, Lease[] calldata leases, Result[] calldata results)
        external
        returns (Earned[] memory);

    /// @notice The same for a range with several seats: all seats that were paid in full, in the order of their commitments. Of `Lease`, only the
    /// claim and the first shard are read.
    function redeemPanel(Terms calldata terms, Lease[] calldata seats, Result[] calldata results)
        external
        returns (Earned[] memory);
}
