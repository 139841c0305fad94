// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {Parameters} from "src-contracts/Parameters.sol";
import {MarketCore} from "src-contracts/core/MarketCore.sol";
import {IJobViews} from "src-contracts/interfaces/IJobs.sol";
import {BenchLib} from "src-contracts/types/Bench.sol";
import {ShardLib} from "src-contracts/types/Dispute.sol";
import {Job, JobState, JobWord} from "src-contracts/types/Job.sol";
import {LeaseWord, Phase, Result} from "src-contracts/types/Lease.sol";
import {Node} from "src-contracts/types/Node.sol";
import {PanelLib, PanelWord} from "src-contracts/types/Panel.sol";
import {Rules} from "src-contracts/types/Rules.sol";
import {Terms} from "src-contracts/types/Terms.sol";

/// @notice What can be asked about jobs and leases.
abstract contract JobViews is MarketCore, IJobViews {
    /// @inheritdoc IJobViews
    function jobId(Terms calldata terms) external view returns (bytes32) {
        return _jobId(terms);
    }

    /// @inheritdoc IJobViews
    function commitmentOf(bytes32 id, uint32 first, uint8 seat, uint32 nodeId, Result calldata result, bytes32 salt)
        external
        pure
        returns (bytes32)
    {
        return _commitment(id, first, seat, nodeId, result, salt);
    }

    /// @inheritdoc IJobViews
    function job(bytes32 id) external view returns (Job memory) {
        JobWord word = _jobWord(id);
        if (word.state() == JobState.Leased) return Job(JobState.Leased, 0, 0, 0, 0, 0, 0);
        return word.unpack();
    }

    /// @inheritdoc IJobViews
    function lease(bytes32 id, uint32 first) external view returns (Phase phase, uint40 at) {
        LeaseWord word = LeaseWord.wrap(leaseWord(id, first));
        return (word.phase(), word.at());
    }

    /// @inheritdoc IJobViews
    function leaseWord(bytes32 id, uint32 first) public view returns (uint256) {
        if (first == 0 && _jobWord(id).state() == JobState.Leased) return _words[id];
        return _words[_leaseKey(id, first)];
    }

    /// @inheritdoc IJobViews
    function priceAt(Terms calldata terms, uint256 time) external view returns (uint96) {
        JobWord word = _jobWord(_jobId(terms));
        PanelWord p = PanelWord.wrap(JobWord.unwrap(word));
        if (word.isLease() && p.isPanel()) return terms.priceAt(p.rampFrom(), time); // what its next seat is paid
        // An order that nobody has brought yet is posted in the second it is claimed.
        (, uint256 from) = _opening(terms, word.state() == JobState.None ? time : word.at());
        return terms.priceAt(from, time);
    }

    /// @inheritdoc IJobViews
    function drawn(Terms calldata terms, uint32 first, uint32 nodeId) external view returns (bool now_, uint40 from_) {
        bytes32 id = _jobId(terms);
        JobWord word = _jobWord(id);
        if (LeaseWord.wrap(leaseWord(id, first)).phase() == Phase.Seated) {
            return _drawnToPanel(terms, id, first, nodeId);
        }
        if (word.state() != JobState.Open || block.timestamp > terms.expiry()) return (false, 0);
        (bool ready, uint256 from) = _opening(terms, word.at());
        LeaseWord lapsed = LeaseWord.wrap(_words[_leaseKey(id, first)]);
        if (lapsed.phase() == Phase.Lapsed) {
            if (lapsed.node() == nodeId) return (false, 0);
            from = lapsed.at();
        }
        Node storage n = _nodes[nodeId];
        if (!ready || !_eligible(terms, nodeId, n)) return (false, 0);
        uint256 at = _drawnAt(terms, id, first, nodeId, n, word.atBlock(), word.at(), from);
        // forge-lint: disable-next-line(unsafe-typecast)
        return (block.timestamp >= at, uint40(at)); // a time
    }

    /// @inheritdoc IJobViews
    function worstCaseExit(Terms calldata terms) external view returns (uint40) {
        JobState state = _jobWord(_jobId(terms)).state();
        if (state == JobState.Complete || state == JobState.Closed) return 0;
        Rules rules = terms.rules;
        uint256 last = uint256(terms.expiry()) + terms.exec() + terms.window() + 1;
        if (terms.seats() != 1) last += 2 * uint256(terms.exec()) + rules.revealWindow();
        else if (!terms.direct()) last += rules.auditWindow() + terms.exec() + rules.revealWindow();
        // Two juries about one shard, and the time to call the second.
        if (terms.window() != 0) last += 2 * uint256(terms.exec()) + 5 * rules.revealWindow();
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint40(last); // a time plus a few days
    }

    /// @inheritdoc IJobViews
    function assuranceOf(Terms calldata terms, uint256 colludingBps)
        external
        view
        returns (uint256 cost, uint256 pooled, uint256 caught)
    {
        uint256 one = Parameters.BPS;
        if (colludingBps > one) revert ShareInvalid(colludingBps);
        uint256 seats = terms.seats();
        uint256 honest = one - colludingBps;
        if (seats == 1) {
            uint256 base = terms.direct() ? 0 : terms.rules.auditBps(terms.runtime());
            uint256 bought = terms.auditBps() < one - base ? terms.auditBps() : one - base;
            if (terms.currency() == TOKEN && terms.node() == 0) pooled = base; // else nobody is paid for what it draws
            (cost, caught) = (one + bought, (pooled + bought) * honest / one);
        } else if (terms.tolerant()) {
            (cost, caught) = (seats * one, one - colludingBps ** (seats - 1) / one ** (seats - 2));
        } else {
            // The lie stands when the liars are a quorum.
            cost = seats * one;
            caught = seats == 3 ? honest ** 2 / one : honest ** 3 * (one + 3 * colludingBps) / one ** 3;
        }
        if (terms.tolerant() && terms.window() == 0) caught = 0;
    }

    /// @inheritdoc IJobViews
    function isShardOf(bytes32 root, uint32 shard, bytes32 hash, uint64 units, bytes32[] calldata proof)
        external
        pure
        returns (bool)
    {
        return MerkleProof.verifyCalldata(proof, root, ShardLib.leaf(shard, hash, units));
    }

    /* INTERNAL */

    /// @dev Whether a node may join the panel on the range at `first`.
    function _drawnToPanel(Terms calldata terms, bytes32 id, uint32 first, uint32 nodeId)
        private
        view
        returns (bool now_, uint40 from_)
    {
        (bytes32 range, PanelWord p) = _requirePanel(id, first);
        Node storage n = _nodes[nodeId];
        if (
            p.sitting() >= p.asked() || p.asked() == PanelLib.AUDIT || block.timestamp > _joinUntil(terms, p)
                || !_eligible(terms, nodeId, n)
        ) return (false, 0);
        (bool free,) = _loadBench(range).placeFor(BenchLib.printOf(range, nodeId));
        if (!free) return (false, 0);
        uint256 at = _drawnAt(terms, id, first, nodeId, n, p.postBlock(), p.postedAt(), p.rampFrom());
        // forge-lint: disable-next-line(unsafe-typecast)
        return (block.timestamp >= at, uint40(at)); // a time
    }
}
