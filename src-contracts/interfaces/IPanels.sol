// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {Bench} from "src-contracts/types/Bench.sol";
import {Lease, LeaseWord, Result} from "src-contracts/types/Lease.sol";
import {Panel} from "src-contracts/types/Panel.sol";
import {Terms} from "src-contracts/types/Terms.sol";

/// @notice What one seat is bound to.
struct Bound {
    /// Its claim's word.
    LeaseWord claimed;
    bytes32 commitment;
}

/// @notice What one seat has to say when a panel ends.
struct Said {
    /// Its claim's word.
    LeaseWord claimed;
    /// What it computed; root 0 when it shows nothing.
    Result result;
    /// The salt of its commitment, where it shows its result in this call; otherwise the commitment itself, so that ending a panel needs nothing
    /// that events do not tell.
    bytes32 salt;
}

/// @notice Ranges that several nodes compute: several seats, and audits.
interface IPanels is JobFacts {
    /// @notice Takes a seat of a job with several: on the range at `first` when others sit there, else opening that range (`count` shards from the
    /// next on, or all of a lapsed range). With a commitment the node has computed already, and is bound at once; with 0 it commits
    /// by `commitSeat` before its deadline.
    function sit(Terms calldata terms, uint32 first, uint16 count, uint32 node, bytes32 commitment) external;

    /// @notice Sits down beside the holder of a committed lease that was drawn for an audit. The auditor is paid the holder's price.
    function audit(Terms calldata terms, Lease calldata lease_, uint32 node) external;

    /// @notice Binds a seat to a result without showing it.
    function commitSeat(bytes32 id, Lease calldata lease_, bytes32 commitment) external;

    /// @notice Shows what the seat at `index` has committed. `bound` are all that have committed, in that order. Anyone who knows the salt
    /// may call. Where the job has a challenge window, this begins it.
    function revealSeat(
        Terms calldata terms,
        uint32 first,
        Bound[] calldata bound,
        uint256 index,
        Result calldata result,
        bytes32 salt
    ) external;

    /// @notice Ends a range: counts equal results, pays, slashes and frees bonds. `said` are all that have committed, in that order. Where the job
    /// has no challenge window, results that were not shown before are shown here; what `LeaseRevealed` then does not tell is the
    /// result in `PanelEnded`.
    function agree(Terms calldata terms, uint32 first, Said[] calldata said) external;

    /// @notice The panel on the range that begins at `first`. Reverts when there is none.
    function panel(bytes32 id, uint32 first) external view returns (Panel memory);

    /// @notice Its bench: who sat, and the chain of what was committed.
    function bench(bytes32 id, uint32 first) external view returns (Bench);

    /// @notice The storage word of a node's seat on the range that begins at `first`: its claim until it has committed, its result once it was shown
    /// by itself; zero otherwise.
    function seatWord(bytes32 id, uint32 first, uint32 node) external view returns (uint256);
}
