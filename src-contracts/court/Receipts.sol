// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {MarketCore} from "src-contracts/core/MarketCore.sol";
import {Earned, IReceipts} from "src-contracts/interfaces/IReceipts.sol";
import {JobState, JobWord} from "src-contracts/types/Job.sol";
import {Lease, LeaseLib, LeaseWord, Phase, Result} from "src-contracts/types/Lease.sol";
import {ReceiptLib} from "src-contracts/types/Receipt.sol";
import {Terms} from "src-contracts/types/Terms.sol";

/// @notice What settled work leaves behind for credits: a hash in the slot that the work lived in, good for once.
abstract contract Receipts is MarketCore, IReceipts {
    /// @inheritdoc IReceipts
    function redeem(Terms calldata terms, Lease[] calldata leases, Result[] calldata results)
        external
        returns (Earned[] memory earned)
    {
        bytes32 id = _requireCredits(terms, leases, results);
        earned = new Earned[](leases.length);
        for (uint256 i; i < leases.length; ++i) {
            uint208 body = LeaseLib.revealedBody(leases[i].claimed, results[i]);
            _spend(id, _rangeOf(id, leases[i]), leases[i].first(), body);
            earned[i] = _earned(leases[i].claimed, results[i]);
        }
    }

    /// @inheritdoc IReceipts
    function redeemPanel(Terms calldata terms, Lease[] calldata seats, Result[] calldata results)
        external
        returns (Earned[] memory earned)
    {
        bytes32 id = _requireCredits(terms, seats, results);
        require(seats.length != 0, ReceiptUnknown(id, 0));
        earned = new Earned[](seats.length);
        bytes memory bodies = ReceiptLib.room(seats.length);
        for (uint256 i; i < seats.length; ++i) {
            ReceiptLib.put(bodies, i, LeaseLib.revealedBody(seats[i].claimed, results[i]));
            earned[i] = _earned(seats[i].claimed, results[i]);
        }
        _spend(id, _rangeOf(id, seats[0]), seats[0].first(), ReceiptLib.hash(bodies, seats.length));
    }

    /* INTERNAL */

    function _requireCredits(Terms calldata terms, Lease[] calldata leases, Result[] calldata results)
        private
        view
        returns (bytes32 id)
    {
        require(msg.sender == _credits, NotCredits(msg.sender));
        require(leases.length == results.length, LengthMismatch(leases.length, results.length));
        return _jobId(terms);
    }

    /// @dev Takes the receipt out of its slot: the job's tombstone keeps its state, a lease's slot becomes free.
    function _spend(bytes32 id, bytes32 range, uint32 first, uint208 body) private {
        if (range == id) {
            JobWord word = _jobWord(id);
            require(word.state() == JobState.Complete && word.receipt() == body, ReceiptUnknown(id, first));
            _words[id] -= body;
        } else {
            LeaseWord word = _loadLease(range);
            require(word.phase() == Phase.Settled && word.body() == body, ReceiptUnknown(id, first));
            _setLease(range, LeaseWord.wrap(0));
        }
    }

    function _earned(LeaseWord claimed, Result calldata result) private view returns (Earned memory) {
        uint32 node = claimed.node();
        return Earned(_nodes[node].owner, node, result.units, claimed.price(), claimed.count());
    }
}
