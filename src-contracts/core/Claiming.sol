// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {MarketCore} from "src-contracts/core/MarketCore.sol";
import {Job, JobWord} from "src-contracts/types/Job.sol";
import {Lease, LeaseWord, LeaseWordLib, Phase} from "src-contracts/types/Lease.sol";
import {Node} from "src-contracts/types/Node.sol";
import {Terms} from "src-contracts/types/Terms.sol";

/// @notice How a node takes a place, alone or among several: who may, when, for how much.
abstract contract Claiming is MarketCore {
    function _clamp(bytes32 id, Terms calldata terms, uint256 first, uint16 count) internal pure returns (uint16) {
        uint256 left = terms.shards() - first;
        if (left == 0) revert NothingToClaim(id);
        if (count == 0 || count > terms.maxLease()) revert CountInvalid(id, count, terms.maxLease());
        // forge-lint: disable-next-line(unsafe-typecast)
        return left < count ? uint16(left) : count; // < count
    }

    /// @dev Checks time, worker and draw; returns where the price ramp begins. `lapsedAt` is zero for a first claim.
    function _requireDraw(bytes32 id, Terms calldata terms, uint32 first, uint32 nodeId, JobWord j, uint256 lapsedAt)
        internal
        view
        returns (uint256 from)
    {
        bool ready;
        (ready, from) = _opening(terms, j.at());
        if (!ready) revert AfterNotComplete(id, terms.afterJob);
        if (block.timestamp < terms.start()) revert NotOpenYet(id, terms.start());
        if (lapsedAt != 0) from = lapsedAt;
        Node storage n = _requireWorker(id, terms, nodeId);
        uint256 at = _drawnAt(terms, id, first, nodeId, n, j.atBlock(), j.at(), from);
        // forge-lint: disable-next-line(unsafe-typecast)
        if (block.timestamp < at) revert NotDrawn(id, nodeId, uint40(at)); // a time
    }

    function _requireWorker(bytes32 id, Terms calldata terms, uint32 nodeId) internal view returns (Node storage n) {
        n = _requireOperator(nodeId);
        if (block.timestamp > terms.expiry()) revert DeadlinePassed(id, 0, terms.expiry());
        if (!_eligible(terms, nodeId, n)) revert NodeNotEligible(id, nodeId);
    }

    /// @dev Marks `count` shards from `first` on as taken. Returns the slot of the range: the job's own when it is all of the job.
    function _occupy(bytes32 id, Terms calldata terms, JobWord word, uint32 first, uint16 count)
        internal
        returns (bytes32 range)
    {
        if (count == terms.shards()) return id;
        Job memory j = word.unpack();
        if (first == j.cursor) j.cursor += count; // else it is taken over
        j.busy += count;
        _setJob(id, j.pack());
        return _leaseKey(id, first);
    }

    /// @dev Locks a node's bond for `count` shards and says so; returns the claim's word, which the caller keeps.
    function _bind(
        bytes32 id,
        Terms calldata terms,
        uint256 minStake,
        uint32 first,
        uint8 flags,
        uint16 count,
        uint32 nodeId,
        uint96 price,
        uint64 bonus
    ) internal returns (LeaseWord claimed) {
        claimed = _lockFor(terms, minStake, flags, count, nodeId, price, bonus);

        emit LeaseClaimed(id, nodeId, first, claimed);
    }

    /// @dev Locks a node's bond for `count` shards; the caller says so. `minStake` is in whole DPU.
    function _lockFor(
        Terms calldata terms,
        uint256 minStake,
        uint8 flags,
        uint16 count,
        uint32 nodeId,
        uint96 price,
        uint64 bonus
    ) internal returns (LeaseWord claimed) {
        unchecked {
            uint40 deadline = uint40(block.timestamp) + terms.exec(); // a day at most
            claimed = LeaseWordLib.claimed(flags, deadline, nodeId, count, price, bonus);
            _lock(nodeId, _nodes[nodeId], terms.bond() * count, minStake * 1 ether); // 96 + 16 and 32 + 60 bits
        }
    }

    /// @dev The operator of a claimed lease, in time.
    function _requireHolder(bytes32 id, Lease calldata lease_) internal view returns (bytes32 key, LeaseWord word) {
        (key, word) = _find(id, lease_);
        _requirePhase(id, lease_.first(), word, Phase.Claimed);
        if (LeaseWord.unwrap(word) != LeaseWord.unwrap(lease_.claimed)) revert LeaseMismatch(id, lease_.first());
        _requireOperator(word.node());
        if (block.timestamp > word.at()) revert DeadlinePassed(id, lease_.first(), word.at());
    }
}
