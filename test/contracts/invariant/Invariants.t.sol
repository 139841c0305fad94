// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {console2} from "forge-std/console2.sol";
import {JobState} from "src-contracts/types/Job.sol";
import {Job} from "src-contracts/types/Job.sol";
import {Phase} from "src-contracts/types/Lease.sol";
import {Node} from "src-contracts/types/Node.sol";
import {ExitHandler} from "test/contracts/invariant/Exits.sol";

/// @dev Eighteen statements that hold after every call, whatever was called before, and one that holds at the end:
/// everybody gets everything out, even while the Market is paused.
contract InvariantsTest is ExitHandler {
    function setUp() public override {
        super.setUp();
        nodes.push(alice);
        nodes.push(bob);
        nodes.push(carol);
        vm.prank(alice.owner); // a second node of one owner: both share a surrogate
        nodes.push(
            Actor(market.register(makeAddr("alice's second"), 6, 0, ""), alice.owner, makeAddr("alice's second"))
        );
        for (uint256 i; i < nodes.length; ++i) {
            stakes[nodes[i].id] = market.node(nodes[i].id).stake;
            vm.prank(nodes[i].owner);
            dpu.approve(address(market), type(uint256).max);
        }
        users = [requester, alice.owner, bob.owner, carol.owner, treasury, stranger];
        currencies = [address(dpu), address(usd)];
        balances[address(dpu)][requester] = 1_000_000e18;
        balances[address(usd)][requester] = 1_000_000e6;
        market.deposit(address(dpu), treasury, 1_000e18); // for audits
        balances[address(dpu)][treasury] = 1_000e18;
        usd.mint(address(this), 1_000_000_000e6);
        _target();
    }

    function _target() private {
        bytes4[28] memory selectors = [
            this.actDeposit.selector,
            this.actWithdraw.selector,
            this.actDonate.selector,
            this.actCollectFees.selector,
            this.actPost.selector,
            this.actClaimOrder.selector,
            this.actSettleOrder.selector,
            this.actClaim.selector,
            this.actTakeOver.selector,
            this.actCommit.selector,
            this.actReveal.selector,
            this.actSettle.selector,
            this.actAccept.selector,
            this.actLapse.selector,
            this.actCancel.selector,
            this.actClose.selector,
            this.actSweep.selector,
            this.actStake.selector,
            this.actQueueUnstake.selector,
            this.actUnstake.selector,
            this.actSetNode.selector,
            this.actPause.selector,
            this.actAddParams.selector,
            this.actAgain.selector,
            this.actAudit.selector,
            this.actAuditCommit.selector,
            this.actAuditLapse.selector,
            this.actAuditEnd.selector
        ];
        // Calls on which the others depend are drawn more often.
        bytes4[16] memory often = [
            this.actPost.selector,
            this.actPost.selector,
            this.actLapse.selector,
            this.actTakeOver.selector,
            this.actTakeOver.selector,
            this.actReveal.selector,
            this.actClaim.selector,
            this.actClaim.selector,
            this.actCommit.selector,
            this.actCommit.selector,
            this.actReveal.selector,
            this.actSettle.selector,
            this.actAudit.selector,
            this.actAudit.selector,
            this.actAuditCommit.selector,
            this.actAuditEnd.selector
        ];
        bytes4[] memory all = new bytes4[](selectors.length + often.length);
        for (uint256 i; i < all.length; ++i) {
            all[i] = i < selectors.length ? selectors[i] : often[i - selectors.length];
        }
        targetContract(address(this));
        targetSelector(FuzzSelector(address(this), all));
    }

    /* ALL OF THEM */

    /// @dev One campaign for all: what costs time is the calls, not the counting.
    /// forge-config: default.invariant.runs = 32
    /// forge-config: default.invariant.depth = 128
    /// forge-config: deep.invariant.runs = 1024
    /// forge-config: deep.invariant.depth = 128
    function invariant_TheBooksHold() external view {
        for (uint256 i; i < 2; ++i) {
            _tokensAreTheBooks(currencies[i]);
            _tokensAreTheMarketsOwnSums(currencies[i]);
            _everyBalanceIsTheBooks(currencies[i]);
            _feesAreTheBooks(currencies[i]);
        }
        _supplyIsWhatWasNotBurnt();
        _whatEnteredAJobLeftIt();

        _stakesLieInTheSurrogates();
        _stakesAreTheBooks();
        _lockedIsTheSumOfLivingBonds();
        _stakeCoversLockedAndQueued();
        _runtimesSumTheirNodes();
        _recordsAreInBounds();
        _stakeVotes();

        _jobsCountTheirShards();
        _endedJobsHoldNothing();
        _nothingEndsOrIsPaidTwice();
        _leasesAreInTheirPhase();
        _pausesAreShort();
    }

    /* MONEY */

    /// @dev 1. The Market's tokens are what the books say people, fees, escrows and bonuses own, and gifts.
    function _tokensAreTheBooks(address currency) private view {
        uint256 owed = fees[currency] + donated[currency] + _setAside(currency);
        for (uint256 i; i < users.length; ++i) {
            owed += balances[currency][users[i]];
        }
        for (uint256 i; i < jobs.length; ++i) {
            if (terms[i].currency == currency) owed += jobs[i].left;
        }
        if (currency == address(dpu)) owed += _bonuses();
        assertEq(_tokens(currency), owed, unicode"tokens != Σ books");
    }

    /// @dev 2. The same tokens are the sum of what the Market itself says when asked.
    function _tokensAreTheMarketsOwnSums(address currency) private view {
        uint256 owed = _fees(currency) + donated[currency] + _setAside(currency);
        for (uint256 i; i < users.length; ++i) {
            owed += market.balanceOf(currency, users[i]);
        }
        for (uint256 i; i < jobs.length; ++i) {
            if (terms[i].currency != currency) continue;
            Job memory j = market.job(jobs[i].id);
            owed += j.state == JobState.Leased ? terms[i].shards * _worstShard(terms[i]) : j.left;
        }
        if (currency == address(dpu)) owed += _bonuses();
        assertEq(_tokens(currency), owed, unicode"tokens != Σ views");
    }

    /// @dev 3. Nobody has a unit more or less than the books say.
    function _everyBalanceIsTheBooks(address currency) private view {
        for (uint256 i; i < users.length; ++i) {
            assertEq(market.balanceOf(currency, users[i]), balances[currency][users[i]], "balance");
        }
    }

    /// @dev 4. Fees are the sum of each payment's fee, rounded down one by one.
    function _feesAreTheBooks(address currency) private view {
        assertEq(_fees(currency), fees[currency], "fees");
    }

    /// @dev 5. DPU is destroyed by slashes only.
    function _supplyIsWhatWasNotBurnt() private view {
        assertEq(dpu.totalSupply(), 1_000_000_000e18 - burnt, "supply");
    }

    /// @dev 6. What the Market took for a job it has given out again when the job ends. Counted by balances around each call,
    /// for jobs in the currency that bonds and slashes do not touch.
    function _whatEnteredAJobLeftIt() private view {
        for (uint256 i; i < jobs.length; ++i) {
            if (terms[i].currency != address(usd) || jobs[i].moneyIn == 0) continue;
            assertEq(jobs[i].moneyIn, jobs[i].moneyOut + jobs[i].left, "money of a job");
        }
    }

    function _tokens(address currency) private view returns (uint256) {
        return currency == address(dpu) ? dpu.balanceOf(address(market)) : usd.balanceOf(address(market));
    }

    function _bonuses() private view returns (uint256 sum) {
        for (uint256 k; k < leases.length; ++k) {
            if (leases[k].phase != Phase.None) sum += uint256(leases[k].l.bonus) * 1e9;
        }
        for (uint256 i; i < audits.length; ++i) {
            sum += audits[i].bonus * 1e9;
        }
    }

    /* STAKE */

    /// @dev 7. For every owner the stake of its nodes lies in its surrogate, to the unit.
    function _stakesLieInTheSurrogates() private view {
        for (uint256 i; i < nodes.length; ++i) {
            uint256 sum;
            for (uint256 k; k < nodes.length; ++k) {
                if (nodes[k].owner == nodes[i].owner) sum += market.node(nodes[k].id).stake;
            }
            assertEq(dpu.balanceOf(market.surrogateOf(nodes[i].owner)), sum, unicode"surrogate != Σ stake");
        }
    }

    /// @dev 8. A stake changes by staking, leaving and slashing, by exactly those amounts.
    function _stakesAreTheBooks() private view {
        for (uint256 i; i < nodes.length; ++i) {
            assertEq(market.node(nodes[i].id).stake, stakes[nodes[i].id], "stake");
        }
    }

    /// @dev 9. What is locked is the sum of the bonds of living leases: none released twice, none forgotten.
    function _lockedIsTheSumOfLivingBonds() private view {
        for (uint256 i; i < nodes.length; ++i) {
            uint256 sum;
            for (uint256 k; k < leases.length; ++k) {
                if (leases[k].l.node != nodes[i].id || !_isLiving(k)) continue;
                sum += uint256(terms[leases[k].job].bond) * leases[k].l.count;
            }
            assertEq(market.node(nodes[i].id).locked, sum + _auditorBonds(nodes[i].id), unicode"locked != Σ bonds");
        }
    }

    /// @dev 10. No unit of stake is promised twice.
    function _stakeCoversLockedAndQueued() private view {
        for (uint256 i; i < nodes.length; ++i) {
            Node memory n = market.node(nodes[i].id);
            assertGe(n.stake, uint256(n.locked) + n.queued, "stake < locked + queued");
        }
    }

    /// @dev 11. The draw's denominator is the stake of the nodes that offer the runtime.
    function _runtimesSumTheirNodes() private view {
        for (uint8 r = 1; r < 8; ++r) {
            uint256 sum;
            for (uint256 i; i < nodes.length; ++i) {
                Node memory n = market.node(nodes[i].id);
                if (n.runtimes & (uint32(1) << r) != 0) sum += n.stake;
            }
            (uint96 total,) = market.runtime(r);
            assertEq(total, sum, unicode"runtime != Σ stake");
        }
    }

    /// @dev 12. A record never leaves its scale and never reaches zero, from which nothing could raise it.
    function _recordsAreInBounds() private view {
        for (uint256 i; i < nodes.length; ++i) {
            uint256 record = market.node(nodes[i].id).record;
            assertTrue(record >= 1 && record <= 10_000, "record");
        }
    }

    /// @dev 13. Staked tokens vote, all of them, for their owner.
    function _stakeVotes() private view {
        for (uint256 i; i < nodes.length; ++i) {
            assertEq(dpu.getVotes(nodes[i].owner), dpu.balanceOf(market.surrogateOf(nodes[i].owner)), "votes != stake");
        }
    }

    /* JOBS */

    /// @dev 14. Shards are open, busy, lapsed or done, and never more than there are.
    function _jobsCountTheirShards() private view {
        for (uint256 i; i < jobs.length; ++i) {
            BookedJob memory b = jobs[i];
            Job memory j = market.job(b.id);
            assertLe(b.done + b.busy, terms[i].shards, "done + busy <= shards");
            if (j.state != JobState.Open && j.state != JobState.Cancelled) continue;
            assertEq(j.cursor, b.cursor, "cursor");
            assertEq(j.busy, b.busy, "busy");
            assertEq(j.done, b.done, "done");
            assertEq(j.left, b.left, "left");
        }
    }

    /// @dev 15. A job that has ended holds no money, no lease and no way back.
    function _endedJobsHoldNothing() private view {
        for (uint256 i; i < jobs.length; ++i) {
            JobState state = market.job(jobs[i].id).state;
            bool ended = jobs[i].state == State.Complete || jobs[i].state == State.Closed;
            assertEq(state == JobState.Complete || state == JobState.Closed, ended, "ended");
            if (!ended) continue;
            assertEq(state == JobState.Complete, jobs[i].state == State.Complete, "complete");
            assertEq(state == JobState.Complete, jobs[i].done == terms[i].shards, "complete means all shards");
            assertEq(market.job(jobs[i].id).left + jobs[i].left, 0, "left");
            assertEq(_livingOf(i), 0, "living leases");
        }
    }

    /// @dev 16. No job ends twice, no claim is paid twice.
    function _nothingEndsOrIsPaidTwice() private view {
        for (uint256 i; i < jobs.length; ++i) {
            assertLe(jobs[i].timesEnded, 1, "ended twice");
        }
        for (uint256 k; k < leases.length; ++k) {
            assertLe(leases[k].timesPaid, 1, "paid twice");
        }
    }

    /// @dev 17. Every lease is where its holder thinks it is, and since when.
    function _leasesAreInTheirPhase() private view {
        for (uint256 k; k < leases.length; ++k) {
            BookedLease memory b = leases[k];
            if (b.phase == Phase.None) continue;
            (Phase phase, uint40 at) = market.lease(jobs[b.job].id, b.l.first);
            assertEq(uint8(phase), uint8(b.phase), "phase");
            assertEq(at, phase == Phase.Claimed ? b.l.deadline : b.at, "at");
        }
    }

    /// @dev 18. No pause reaches further than three days ahead.
    function _pausesAreShort() private view {
        (, uint40 until,,,) = market.config();
        assertLe(until, _now() + 3 days, "pause");
    }

    /* THE END */

    /// @dev From whatever state the run has reached, paused where the guardian may, everybody leaves with everything.
    function afterInvariant() external {
        _report();
        vm.warp(_now() + 8 days);
        vm.prank(guard);
        market.pause(3 days);
        _endLeases();
        for (uint256 i; i < jobs.length; ++i) {
            if (jobs[i].state == State.Open) _closeAt(i);
        }
        for (uint256 k; k < leases.length; ++k) {
            if (leases[k].phase == Phase.Lapsed) _sweepAt(k);
        }
        _unstakeAll();
        for (uint256 i; i < 2; ++i) {
            _withdrawAll(currencies[i]);
        }
    }

    function _endLeases() private {
        for (uint256 i; i < audits.length; ++i) {
            if (audits[i].stage == Phase.Claimed) _auditLapseAt(i);
            if (audits[i].stage != Phase.None) _auditEndAt(i, 0, audits[i].lease);
        }
        uint256 total = leases.length;
        for (uint256 k; k < total; ++k) {
            if (leases[k].phase == Phase.Revealed) _settleAt(k, leases[k].job);
            else if (_isLiving(k)) _lapseAt(k, leases[k].job);
        }
    }

    function _unstakeAll() private {
        for (uint256 i; i < nodes.length; ++i) {
            uint256 free = _free(nodes[i]);
            vm.prank(nodes[i].owner);
            if (free != 0) market.queueUnstake(nodes[i].id, free);
            vm.stopPrank();
        }
        vm.warp(_now() + 7 days);
        for (uint256 i; i < nodes.length; ++i) {
            if (market.node(nodes[i].id).queued != 0) {
                vm.prank(nodes[i].owner);
                market.unstake(nodes[i].id, nodes[i].owner);
            }
            assertEq(market.node(nodes[i].id).stake, 0, "stake is out");
        }
        for (uint256 i; i < nodes.length; ++i) {
            assertEq(dpu.balanceOf(market.surrogateOf(nodes[i].owner)), 0, "surrogate is empty");
        }
    }

    function _withdrawAll(address currency) private {
        if (_fees(currency) != 0) market.collectFees(currency, users);
        for (uint256 i; i < users.length; ++i) {
            uint256 balance = market.balanceOf(currency, users[i]);
            if (balance == 0) continue;
            vm.prank(users[i]);
            market.withdraw(currency, users[i], balance);
        }
        assertEq(_tokens(currency), donated[currency], "nothing but gifts is left");
    }

    /// @dev Share of calls that did something, per action, summed over the runs so far (in the process's environment, because
    /// state does not survive a run). See it with -vv.
    function _report() private {
        console2.log("action, done, tried, %");
        for (uint256 i; i < actions.length; ++i) {
            string memory name = string(abi.encodePacked(actions[i]));
            string memory key = string.concat("DPU_INVARIANT_", vm.toString(actions[i]));
            uint256 packed = vm.envOr(key, uint256(0)) + (succeeded[actions[i]] << 128) + tried[actions[i]];
            vm.setEnv(key, vm.toString(packed));
            uint256 done = packed >> 128;
            uint256 all = packed & type(uint128).max;
            console2.log(
                string.concat(name, " ", vm.toString(done), " ", vm.toString(all), " ", vm.toString(done * 100 / all))
            );
        }
    }
}
