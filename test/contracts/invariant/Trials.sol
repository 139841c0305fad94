// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {DisputeState, Juror, Testimony, Verdict} from "src-contracts/types/Dispute.sol";
import {Phase} from "src-contracts/types/Lease.sol";
import {CourtHandler} from "test/contracts/invariant/CourtHandler.sol";
import {Terms} from "test/contracts/lib/Readable.sol";

/// @dev The other half of the actions: disputes, from the challenge to what is carried out.
abstract contract TrialHandler is CourtHandler {
    function _trialIn(DisputeState state, uint256 seed) private view returns (uint256) {
        for (uint256 i; i < trials.length; ++i) {
            uint256 k = (seed % trials.length + i) % trials.length;
            if (trials[k].state == state) return k;
        }
        return trials.length;
    }

    function _jobOf(Trial storage d) internal view returns (BookedJob storage) {
        return jobs[ranges[claims[d.claim].range].job];
    }

    /// @dev Who puts up `amount`: one of two accounts, or any node by its stake. `ok` is false when it has not got it.
    function _party(uint256 seed, uint256 amount) private view returns (bool ok, address by, uint32 node) {
        if (seed % 3 != 2) {
            by = seed % 3 == 0 ? challenger : second;
            return (balances[by] >= amount, by, 0);
        }
        Actor memory n = nodes[(seed >> 8) % nodes.length];
        return (_free(n) >= amount, address(0), n.id);
    }

    function _callerOf(address by, uint32 node) private view returns (address) {
        return node == 0 ? by : nodes[node - 1].operator;
    }

    /* BEGINNING */

    function actChallenge(uint256 seed) external acts("challenge", seed) {
        uint256 k = _claimIn(seed % 4 == 0 ? Phase.Disputed : Phase.Revealed, seed >> 8);
        if (k == claims.length || _now() > claims[k].at + WINDOW) return;
        Claim storage c = claims[k];
        uint32 index = c.l.first + uint32((seed >> 16) % c.l.count);
        BookedJob storage j = jobs[ranges[c.range].job];
        (bool ok, address by, uint32 node) = _party(seed >> 24, 10 * (j.t.bond / 8));
        if (!ok || _isTried(k, index)) return;
        vm.prank(_callerOf(by, node));
        market.challenge(j.t.pack(), c.l.pack(), c.r, _shardOf(c, index), node);
        trials.push();
        Trial storage d = trials[trials.length - 1];
        (d.claim, d.index, d.by, d.byNode) = (k, index, by, node);
        (d.state, d.round, d.at) = (DisputeState.Serving, 1, _now());
        d.key = market.disputeKey(j.id, c.l.pack(), index);
        ++c.open;
        c.phase = Phase.Disputed;
        _bookPledge(by, node, 10 * (j.t.bond / 8));
        ++done["challenge"];
    }

    function _isTried(uint256 claim, uint32 index) private view returns (bool) {
        for (uint256 k; k < trials.length; ++k) {
            if (trials[k].claim == claim && trials[k].index == index) return true;
        }
        return false;
    }

    function actAppeal(uint256 seed) external acts("appeal", seed) {
        uint256 k = _trialIn(DisputeState.Judged, seed);
        if (k == trials.length || trials[k].round == 2 || _now() >= trials[k].at + APPEAL) return;
        Trial storage d = trials[k];
        (bool ok, address by, uint32 node) = _party(seed >> 8, 11 * _jurorFee(d));
        if (!ok) return;
        vm.prank(_callerOf(by, node));
        market.appeal(_jobOf(d).t.pack(), claims[d.claim].l.pack(), d.index, node);
        (d.state, d.round, d.at) = (DisputeState.Serving, 2, _now());
        (d.appellant, d.appellantNode) = (by, node);
        delete d.said;
        delete d.mute;
        delete d.spoken;
        _bookPledge(by, node, 11 * _jurorFee(d));
        ++done["appeal"];
    }

    /* SERVING AND SPEAKING */

    /// @dev Some sit down, mostly enough of them. Most of a jury find the same; some differ, some will be silent.
    function actServe(uint256 seed) external acts("serve", seed) {
        uint256 k = _trialIn(DisputeState.Serving, seed);
        if (k == trials.length || _now() > trials[k].at + SERVE - 2) return;
        Trial storage d = trials[k];
        if (_now() < d.at + 2) vm.warp(d.at + 2);
        uint256 wanted = (seed >> 8) % 8 == 0 ? 1 + (seed >> 16) % 4 : 11;
        uint256 before = d.said.length;
        for (uint256 i; i < nodes.length && wanted != 0; ++i) {
            Actor memory n = nodes[((seed >> 24) + i) % nodes.length];
            if (!_mayServe(d, n)) continue;
            _serveAs(d, n, k, uint256(keccak256(abi.encode(seed, i))));
            --wanted;
            ++done["juror"];
        }
        if (d.said.length != before) ++done["serve"];
    }

    function _mayServe(Trial storage d, Actor memory n) private view returns (bool now_) {
        Terms memory t = _jobOf(d).t;
        if (_free(n) < t.bond / 8) return false;
        (now_,) = market.drawnToJury(t.pack(), claims[d.claim].l.pack(), d.index, n.id);
    }

    function _serveAs(Trial storage d, Actor memory n, uint256 k, uint256 dice) private {
        Verdict vote = Verdict(1 + uint256(keccak256(abi.encode("common", k, d.round))) % 4);
        if (dice % 12 == 0) vote = Verdict(1 + (dice >> 8) % 4);
        Testimony memory said = Testimony(n.id, vote, keccak256("own"), 7, 0, bytes32(dice));
        bytes32 commitment = market.testimonyOf(d.key, d.round, said);
        vm.prank(n.operator);
        market.serve(_jobOf(d).t.pack(), claims[d.claim].l.pack(), d.index, n.id, commitment);
        d.said.push(said);
        d.mute.push((dice >> 16) % 32 == 0);
        d.spoken.push(false);
        locked[n.id] += _jurorFee(d);
    }

    function _bound(Trial storage d, uint256 i) private view returns (bytes32) {
        return market.testimonyOf(d.key, d.round, d.said[i]);
    }

    function actTestify(uint256 seed) external acts("testify", seed) {
        uint256 k = _trialIn(DisputeState.Serving, seed);
        if (k == trials.length || trials[k].said.length == 0) return;
        Trial storage d = trials[k];
        bool over = _now() > d.at + SERVE;
        if (_now() > d.at + SPEAK || (d.said.length != _seatsOf(d) && !over)) return;
        uint256 at = (seed >> 8) % d.said.length;
        if (d.mute[at] || d.spoken[at]) return;
        Juror[] memory list = new Juror[](d.said.length);
        for (uint256 i; i < list.length; ++i) {
            list[i] = Juror(d.said[i].node, _bound(d, i));
        }
        Terms memory t = _jobOf(d).t;
        market.testify(t.pack(), claims[d.claim].l.pack(), d.index, list, at, d.said[at]);
        d.spoken[at] = true;
        ++done["testify"];
    }

    /* JUDGING */

    function actJudge(uint256 seed) external acts("judge", seed) {
        uint256 k = _trialIn(DisputeState.Serving, seed);
        if (k == trials.length) return;
        Trial storage d = trials[k];
        // Mostly full juries: of the others nothing is found.
        if (d.said.length != _seatsOf(d) && (seed >> 8) % 4 != 0) return;
        if (d.said.length != _seatsOf(d) && _now() <= d.at + SERVE) vm.warp(d.at + SERVE + 1);
        _judgeAt(d);
        ++done["judge"];
    }

    /// @dev Who has not spoken does now, in time; where somebody never will, after it.
    function _judgeAt(Trial storage d) internal {
        uint256 until = d.at + SPEAK;
        for (uint256 i; i < d.said.length; ++i) {
            if (d.mute[i] && _now() <= until) vm.warp(until + 1);
        }
        Testimony[] memory said = new Testimony[](d.said.length);
        Verdict[] memory votes = new Verdict[](said.length);
        for (uint256 i; i < said.length; ++i) {
            said[i] = d.said[i];
            bool speaks = _now() <= until && !d.mute[i];
            if (d.spoken[i] || speaks) votes[i] = said[i].verdict;
            if (d.spoken[i] || !speaks) said[i] = Testimony(said[i].node, Verdict.None, 0, 0, 0, _bound(d, i));
        }
        market.judge(_jobOf(d).t.pack(), claims[d.claim].l.pack(), d.index, said);
        _bookJudgement(d, votes);
    }

    function actEnforce(uint256 seed) external acts("enforce", seed) {
        uint256 k = _trialIn(DisputeState.Judged, seed);
        if (k == trials.length) return;
        Trial storage d = trials[k];
        if (d.round == 1 && (seed >> 8) % 4 != 0 && _now() < d.at + APPEAL) return;
        _enforceAt(d);
        ++done["enforce"];
    }

    /// @dev After the appeal, and where it would end the lease undone after its window.
    function _enforceAt(Trial storage d) internal {
        Claim storage c = claims[d.claim];
        if (d.round == 1 && _now() < d.at + APPEAL) vm.warp(d.at + APPEAL);
        bool undone = d.verdict == Verdict.Undecided || d.verdict == Verdict.SpecFault || c.worst == Verdict.Undecided
            || c.worst == Verdict.SpecFault;
        if (undone && _now() <= c.at + WINDOW) vm.warp(c.at + WINDOW + 1);
        market.enforce(_jobOf(d).t.pack(), c.l.pack(), c.r, d.index);
        _bookVerdict(d);
    }
}
