// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {console2} from "forge-std/console2.sol";
import {Dispute, DisputeState} from "src-contracts/types/Dispute.sol";
import {Job, JobState} from "src-contracts/types/Job.sol";
import {LeaseWord, Phase} from "src-contracts/types/Lease.sol";
import {Node} from "src-contracts/types/Node.sol";
import {TrialHandler} from "test/contracts/invariant/Trials.sol";

/// @dev Nine statements about work that is disputed, on whole jobs and on parts, by one node or three; they hold after every call, and at the end
/// everybody leaves with everything.
contract CourtInvariantsTest is TrialHandler {
    function setUp() public override {
        super.setUp();
        nodes.push(alice);
        nodes.push(bob);
        nodes.push(carol);
        for (uint256 i; i < jurors.length; ++i) {
            nodes.push(jurors[i]);
        }
        for (uint256 i; i < nodes.length; ++i) {
            assertEq(nodes[i].id, i + 1);
            stakes[nodes[i].id] = STAKE;
        }
        (balances[requester], balances[challenger], balances[second]) = (10_000e18, 1_000e18, 1_000e18);
        bytes4[28] memory selectors = [
            this.actPost.selector,
            this.actPost.selector,
            this.actWork.selector,
            this.actWork.selector,
            this.actWork.selector,
            this.actChallenge.selector,
            this.actChallenge.selector,
            this.actChallenge.selector,
            this.actChallenge.selector,
            this.actServe.selector,
            this.actServe.selector,
            this.actServe.selector,
            this.actServe.selector,
            this.actServe.selector,
            this.actServe.selector,
            this.actTestify.selector,
            this.actTestify.selector,
            this.actJudge.selector,
            this.actJudge.selector,
            this.actAppeal.selector,
            this.actEnforce.selector,
            this.actEnforce.selector,
            this.actSettle.selector,
            this.actEnforce.selector,
            this.actAgree.selector,
            this.actAgree.selector,
            this.actCancel.selector,
            this.actClose.selector
        ];
        bytes4[] memory all = new bytes4[](selectors.length);
        for (uint256 i; i < all.length; ++i) {
            all[i] = selectors[i];
        }
        targetContract(address(this));
        targetSelector(FuzzSelector(address(this), all));
    }

    /// forge-config: default.invariant.runs = 8
    /// forge-config: default.invariant.depth = 128
    /// forge-config: deep.invariant.runs = 1024
    /// forge-config: deep.invariant.depth = 128
    function invariant_CourtsKeepTheBooks() external view {
        _everyTokenHasAnOwner();
        _everyBalanceIsTheBooks();
        _stakesAndBondsAreTheBooks();
        _disputesAreTheBooks();
        _claimsAreTheBooks();
        _jobsAreTheBooks();
    }

    /// @dev 1. Tokens are balances, fees, escrows, bonuses and what accounts have pledged; 2. what is missing of the supply was burnt.
    function _everyTokenHasAnOwner() private view {
        uint256 owed = fees + balances[requester] + balances[treasury] + balances[challenger] + balances[second];
        for (uint256 i; i < nodes.length; ++i) {
            owed += balances[nodes[i].owner];
        }
        for (uint256 i; i < jobs.length; ++i) {
            owed += jobs[i].left;
        }
        for (uint256 r; r < ranges.length; ++r) {
            owed += ranges[r].bonus * 1e9;
        }
        for (uint256 k; k < claims.length; ++k) {
            if (claims[k].phase != Phase.None) owed += uint256(claims[k].l.bonus) * 1e9;
        }
        for (uint256 k; k < trials.length; ++k) {
            owed += _pledged(trials[k]);
        }
        assertEq(dpu.balanceOf(address(market)), owed, "every token has an owner");
        assertEq(dpu.totalSupply(), 1_000_000_000e18 - burnt, "supply");
    }

    /// @dev What accounts have set aside for a dispute and juries have not used.
    function _pledged(Trial storage d) private view returns (uint256 amount) {
        if (d.state == DisputeState.Ended) return 0;
        if (d.byNode == 0) amount = (10 - d.paid) * _jurorFee(d);
        if (d.round == 2 && d.appellantNode == 0) amount += (11 - d.paidAgain) * _jurorFee(d);
    }

    /// @dev 3. Nobody has a unit more or less than the tables say.
    function _everyBalanceIsTheBooks() private view {
        uint256 sum;
        for (uint256 i; i < nodes.length; ++i) {
            assertEq(_balance(nodes[i].owner), balances[nodes[i].owner], "owner");
            sum += market.feesOf(address(dpu), nodes[i].owner);
        }
        address[4] memory others = [requester, treasury, challenger, second];
        for (uint256 i; i < 4; ++i) {
            assertEq(_balance(others[i]), balances[others[i]], "account");
            sum += market.feesOf(address(dpu), others[i]);
        }
        assertEq(sum, fees, "fees");
    }

    /// @dev 4. Stakes are what slashes left and lie in the surrogates; 5. what is locked is the bonds of living claims, jurors and parties.
    function _stakesAndBondsAreTheBooks() private view {
        uint256 total;
        for (uint256 i; i < nodes.length; ++i) {
            Node memory n = market.node(nodes[i].id);
            assertEq(n.stake, stakes[nodes[i].id], "stake");
            assertEq(n.locked, locked[nodes[i].id], "locked");
            assertEq(dpu.balanceOf(market.surrogateOf(nodes[i].owner)), n.stake, "surrogate");
            assertTrue(n.record >= 1 && n.record <= 10_000, "record");
            total += n.stake;
        }
        (uint96 runtime,) = market.runtime(1);
        assertEq(runtime, total, "runtime");
    }

    /// @dev 6. Every dispute is where its parties think it is.
    function _disputesAreTheBooks() private view {
        for (uint256 k; k < trials.length; ++k) {
            Dispute memory d = market.dispute(trials[k].key);
            assertEq(uint8(d.state), uint8(trials[k].state), "state");
            assertEq(d.round, trials[k].round, "round");
            assertEq(uint8(d.verdict), uint8(trials[k].verdict), "verdict");
        }
    }

    /// @dev 7. Every claim is where its holder thinks it is, and 8. juries never take more than its bond.
    function _claimsAreTheBooks() private view {
        for (uint256 k; k < claims.length; ++k) {
            Claim storage c = claims[k];
            assertLe(c.taken, _bondOf(c) * c.l.count, "taken");
            if (c.phase == Phase.None) continue;
            bytes32 id = jobs[ranges[c.range].job].id;
            if (_isSeat(c)) {
                LeaseWord word = LeaseWord.wrap(market.seatWord(id, c.l.first, c.n.id));
                assertEq(uint8(word.phase()), uint8(c.phase), "seat");
                if (c.phase == Phase.Excused) assertEq(word.body(), c.paid, "paid for an excused seat");
            } else {
                (Phase phase, uint40 at) = market.lease(id, c.l.first);
                assertEq(uint8(phase), uint8(c.phase), "lease");
                assertEq(at, c.at, "its window runs from the reveal");
            }
        }
    }

    /// @dev 9. A job has ended when the books say so, and holds what they say; what it has paid for excused seats its word says with their panel's end.
    function _jobsAreTheBooks() private view {
        for (uint256 i; i < jobs.length; ++i) {
            Job memory j = market.job(jobs[i].id);
            assertEq(j.state == JobState.Complete || j.state == JobState.Closed, jobs[i].over, "over");
            if (j.state != JobState.Open && j.state != JobState.Cancelled) continue;
            assertEq(j.busy, jobs[i].busy, "busy");
            assertEq(j.done, jobs[i].done, "done");
            assertEq(j.left, jobs[i].left + _excusedOf(i), "left");
        }
    }

    /* THE END */

    /// @dev From wherever the run has led, paused: every dispute is judged and carried out, every claim ends, and nothing is left.
    function afterInvariant() external {
        _report();
        vm.prank(governor);
        market.pause(3 days);
        vm.warp(_now() + 2 hours);
        for (uint256 k; k < trials.length; ++k) {
            if (trials[k].state == DisputeState.Serving) _judgeAt(trials[k]);
        }
        for (uint256 k; k < trials.length; ++k) {
            if (trials[k].state == DisputeState.Judged) _enforceAt(trials[k]);
        }
        for (uint256 k; k < claims.length; ++k) {
            if (claims[k].phase == Phase.Revealed && !_isSeat(claims[k])) _settleAt(claims[k]);
        }
        for (uint256 r; r < ranges.length; ++r) {
            if (_canAgree(ranges[r])) _agreeAt(ranges[r]);
        }
        for (uint256 i; i < jobs.length; ++i) {
            if (!jobs[i].over) _closeAt(jobs[i]);
        }
        for (uint256 r; r < ranges.length; ++r) {
            if (!ranges[r].waiting) continue;
            market.sweep(jobs[ranges[r].job].id, ranges[r].first);
            balances[treasury] += ranges[r].bonus * 1e9;
            ranges[r].bonus = 0;
        }
        _everyTokenHasAnOwner();
        _everyBalanceIsTheBooks();
        _everybodyLeaves();
    }

    function _everybodyLeaves() private {
        address[] memory all = new address[](nodes.length + 4);
        (all[0], all[1], all[2], all[3]) = (requester, treasury, challenger, second);
        for (uint256 i; i < nodes.length; ++i) {
            all[i + 4] = nodes[i].owner;
            assertEq(market.node(nodes[i].id).locked, 0, "nothing stays locked");
            vm.prank(nodes[i].owner);
            market.queueUnstake(nodes[i].id, stakes[nodes[i].id]);
        }
        vm.warp(_now() + 7 days);
        for (uint256 i; i < nodes.length; ++i) {
            vm.prank(nodes[i].owner);
            market.unstake(nodes[i].id, nodes[i].owner);
            assertEq(dpu.balanceOf(market.surrogateOf(nodes[i].owner)), 0, "surrogate is empty");
        }
        if (fees != 0) market.collectFees(address(dpu), all);
        for (uint256 i; i < all.length; ++i) {
            uint256 balance = _balance(all[i]);
            vm.prank(all[i]);
            if (balance != 0) market.withdraw(address(dpu), all[i], balance);
            vm.stopPrank();
        }
        assertEq(dpu.balanceOf(address(market)), 0, "nothing is left");
    }

    /// @dev Calls that did something, per action, and findings of each kind, summed over the runs so far (in the process's environment, because state
    /// does not survive a run). See it with -vv.
    function _report() private {
        console2.log("action, done, tried, %");
        for (uint256 i; i < actions.length; ++i) {
            _tell(actions[i], done[actions[i]], tried[actions[i]]);
        }
        bytes32[7] memory more = [bytes32("juror"), "found0", "found1", "found2", "found3", "found4", "found5"];
        for (uint256 i; i < 7; ++i) {
            _tell(more[i], done[more[i]], done[more[i]]);
        }
    }

    function _tell(bytes32 name, uint256 did, uint256 of_) private {
        string memory key = string.concat("DPU_COURT_", vm.toString(name));
        uint256 packed = vm.envOr(key, uint256(0)) + (did << 128) + of_;
        vm.setEnv(key, vm.toString(packed));
        (did, of_) = (packed >> 128, packed & type(uint128).max);
        string memory share = vm.toString(of_ == 0 ? 0 : did * 100 / of_);
        console2.log(
            string.concat(string(abi.encodePacked(name)), " ", vm.toString(did), " ", vm.toString(of_), " ", share)
        );
    }
}
