// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Phase} from "src-contracts/types/Lease.sol";
import {Rules} from "src-contracts/types/Rules.sol";
import {AuditHandler} from "test/contracts/invariant/Audits.sol";
import {Terms} from "test/contracts/lib/Readable.sol";

/// @dev The other half of the actions: exits, stake, governance, and attempts that must fail.
abstract contract ExitHandler is AuditHandler {
    /* EXITS */

    function actLapse(uint256 seed) external acts("lapse", seed) {
        uint256 k = _leaseIn(seed % 2 == 0 ? Phase.Claimed : Phase.Committed, seed >> 8);
        if (k == leases.length) return;
        // Mostly leases that are due: going forward in time ends everyone else's leases too.
        if (seed % 16 > 3 && _now() <= leases[k].l.deadline) return;
        _lapseAt(k, leases[k].job);
        ++succeeded["lapse"];
    }

    /// @dev After the latest second at which the holder could still act, audited or not.
    function _lapseAt(uint256 k, uint256 index) internal metered(index) {
        Terms memory t = terms[index];
        uint256 closes = leases[k].phase == Phase.Claimed
            ? leases[k].l.deadline
            : leases[k].at + _version(t.rules.version()).auditWindow + _version(t.rules.version()).revealWindow;
        if (_now() <= closes) vm.warp(closes + 1);
        vm.roll(vm.getBlockNumber() + 2);
        market.lapse(t.pack(), leases[k].l.pack());
        _bookLapse(k);
    }

    function actCancel(uint256 seed) external acts("cancel", seed) {
        uint256 index = _jobIn(State.Open, false, seed);
        if (seed % 4 != 0 || index == jobs.length || _solo(index)) return;
        _cancelAt(index);
        ++succeeded["cancel"];
    }

    /// @dev A lease that covers the whole job holds its slot; the job cannot be cancelled then.
    function _solo(uint256 index) internal view returns (bool) {
        return jobs[index].busy == terms[index].shards && _livingOf(index) == 1;
    }

    function _livingOf(uint256 index) internal view returns (uint256 count) {
        for (uint256 k; k < leases.length; ++k) {
            if (leases[k].job == index && _isLiving(k)) ++count;
        }
    }

    function _isLiving(uint256 k) internal view returns (bool) {
        Phase phase = leases[k].phase;
        return phase == Phase.Claimed || phase == Phase.Committed || phase == Phase.Revealed || phase == Phase.Seated;
    }

    function _cancelAt(uint256 index) internal metered(index) {
        BookedJob storage j = jobs[index];
        Terms memory t = terms[index];
        uint256 from = j.postedAt + _version(t.rules.version()).openFor;
        if (_now() < from) vm.warp(from);
        vm.prank(t.requester);
        market.cancel(t.pack());
        if (j.busy == 0) return _bookEnd(index, State.Closed);
        uint256 kept = j.busy * _worstShard(t);
        balances[t.currency][t.requester] += j.left - kept;
        (j.left, j.state) = (kept, State.Cancelled);
    }

    function actClose(uint256 seed) external acts("close", seed) {
        uint256 index = _jobIn(State.Open, false, seed);
        if (index == jobs.length || jobs[index].busy != 0) return;
        if (seed % 16 != 0 && _now() <= terms[index].expiry) return;
        _closeAt(index);
        ++succeeded["close"];
    }

    function _closeAt(uint256 index) internal metered(index) {
        Terms memory t = terms[index];
        if (_now() <= t.expiry) vm.warp(uint256(t.expiry) + 1);
        market.close(t.pack());
        _bookEnd(index, State.Closed);
    }

    function actSweep(uint256 seed) external acts("sweep", seed) {
        uint256 k = _leaseIn(Phase.Lapsed, seed);
        if (k == leases.length || jobs[leases[k].job].state != State.Closed) return;
        _sweepAt(k);
        ++succeeded["sweep"];
    }

    function _sweepAt(uint256 k) internal {
        market.sweep(jobs[leases[k].job].id, leases[k].l.first);
        balances[address(dpu)][treasury] += uint256(leases[k].l.bonus) * 1e9;
        leases[k].phase = Phase.None;
    }

    /* STAKE */

    function actStake(uint256 seed) external acts("stake", seed) {
        Actor memory n = _nodeAt(seed);
        uint256 amount = 1 + (seed >> 8) % 3_000e18;
        dpu.transfer(n.owner, amount);
        vm.prank(n.owner);
        market.stake(n.id, amount);
        stakes[n.id] += amount;
        ++succeeded["stake"];
    }

    function actQueueUnstake(uint256 seed) external acts("queueUnstake", seed) {
        Actor memory n = _nodeAt(seed);
        uint256 free = _free(n);
        if (free == 0) return;
        vm.prank(n.owner);
        market.queueUnstake(n.id, 1 + (seed >> 8) % free);
        ++succeeded["queueUnstake"];
    }

    function actUnstake(uint256 seed) external acts("unstake", seed) {
        Actor memory n = _nodeAt(seed);
        uint256 queued = market.node(n.id).queued;
        if (queued == 0) return;
        if (seed % 3 == 0) {
            vm.prank(n.owner);
            market.cancelUnstake(n.id);
        } else {
            uint256 at = market.node(n.id).unstakeAt;
            if (_now() < at && seed % 16 != 1) return;
            if (_now() < at) vm.warp(at);
            vm.prank(n.owner);
            market.unstake(n.id, address(0xcafe));
            stakes[n.id] -= queued;
        }
        ++succeeded["unstake"];
    }

    function actSetNode(uint256 seed) external acts("setNode", seed) {
        uint256 i = seed % nodes.length;
        // Wasm stays, so that jobs find nodes; the other bits come and go.
        uint32 runtimes = uint32(((seed >> 8) & 0xfc) | 2);
        if ((seed >> 16) % 4 == 0) nodes[i].operator = address(uint160(uint256(keccak256(abi.encode(seed)))));
        vm.prank(nodes[i].owner);
        market.setNode(nodes[i].id, nodes[i].operator, runtimes, 0, "");
        ++succeeded["setNode"];
    }

    /* GOVERNANCE */

    function actPause(uint256 seed) external acts("pause", seed) {
        (, uint40 until,,,) = market.config();
        if (seed % 4 != 0 || (until != 0 && _now() < uint256(until) + 4 days)) return;
        vm.prank(guard);
        market.pause(uint32(1 + seed % 10 minutes));
        ++succeeded["pause"];
    }

    function actAddParams(uint256 seed) external acts("addParams", seed) {
        (Rules rules,,,,) = market.config();
        if (rules.version() == 2 || seed % 4 != 0) return;
        vm.prank(governor);
        market.addParams(_version(2));
        ++succeeded["addParams"];
    }

    /* WHAT MUST FAIL */

    /// @dev Every lease that has ended refuses to be paid, accepted or lapsed once more.
    function actAgain(uint256 seed) external acts("again", seed) {
        uint256 k = _leaseIn(Phase.None, seed);
        if (k == leases.length || leases[k].timesPaid == 0) return;
        Work memory w = _workOf(k);
        bytes memory signature = _acceptance(w.t, w.l.first, w.l.node, w.r);
        try market.accept(w.t.pack(), w.l.pack(), w.r, signature) {
            revert("accepted twice");
        } catch {}
        try market.lapse(w.t.pack(), w.l.pack()) {
            revert("lapsed after its end");
        } catch {}
        try this.settleAgain(w) {
            revert("settled twice");
        } catch {}
        ++succeeded["again"];
    }

    function settleAgain(Work memory w) external {
        _settle(w);
    }
}
