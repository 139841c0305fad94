// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {Tabs} from "src-contracts/core/Tabs.sol";
import {Job, JobState, JobWordLib} from "src-contracts/types/Job.sol";
import {LeaseWord, LeaseWordLib, Phase} from "src-contracts/types/Lease.sol";
import {Terms} from "src-contracts/types/Terms.sol";

/// @notice How a range of shards goes back to its job: ended, or free for another node; and how a job ends.
abstract contract Ranges is Tabs {
    /// @dev Takes a range of `count` shards that cost `gross` out of its job. `done`: they count as computed, and leave `receipt`.
    function _endRange(
        bytes32 id,
        Terms calldata terms,
        bytes32 range,
        uint16 count,
        uint256 gross,
        bool done,
        uint208 receipt
    ) internal {
        if (range == id) {
            _end(id, terms, done ? JobState.Complete : JobState.Closed, terms.worstCase() - gross, receipt);
            return;
        }
        _setLease(
            range, receipt == 0 ? LeaseWord.wrap(0) : LeaseWordLib.make(0, Phase.Settled, block.timestamp, receipt)
        );
        Job memory j = _jobWord(id).unpack();
        j.busy -= count;
        if (done) j.done += count;
        // forge-lint: disable-next-line(unsafe-typecast)
        j.left -= uint96(gross); // ≤ worstShard · count, which is in escrow
        if (j.done == terms.shards()) {
            _end(id, terms, JobState.Complete, j.left, 0);
        } else if (j.busy == 0 && (j.state == JobState.Cancelled || block.timestamp > terms.expiry())) {
            _end(id, terms, JobState.Closed, j.left, 0);
        } else {
            _setJob(id, j.pack());
        }
    }

    /// @dev Leaves a tombstone and gives `refund` back.
    function _end(bytes32 id, Terms calldata terms, JobState state, uint256 refund, uint208 receipt) internal {
        _setJob(id, JobWordLib.tombstone(state, block.timestamp, receipt));
        _credit(terms.currency(), terms.requester(), refund);

        if (state == JobState.Complete) emit JobCompleted(id, refund);
        else emit JobClosed(id, refund);
    }

    /// @dev Gives a range back to its job after a failure, to be taken over with `bonus` gwei on top.
    function _reopen(
        bytes32 id,
        Terms calldata terms,
        bytes32 range,
        uint32 first,
        uint16 count,
        uint32 failed,
        uint64 bonus
    ) internal {
        Job memory j;
        if (range == id) {
            // The range was the whole job: the job gets its own word back, with a fresh seed for the next draw.
            j = JobWordLib.opened(terms.shards(), terms.worstCase()).unpack();
        } else {
            j = _jobWord(id).unpack();
            j.busy -= count;
        }
        _setJob(id, j.pack());
        _setLease(_leaseKey(id, first), LeaseWordLib.lapsed(block.timestamp, failed, count, bonus));
        if (j.state == JobState.Cancelled && j.busy == 0) _end(id, terms, JobState.Closed, j.left, 0);
    }
}
