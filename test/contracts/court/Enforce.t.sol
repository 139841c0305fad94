// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {CourtFacts} from "src-contracts/interfaces/ICourt.sol";
import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {Bench} from "src-contracts/types/Bench.sol";
import {DisputeState, Verdict} from "src-contracts/types/Dispute.sol";
import {JobState} from "src-contracts/types/Job.sol";
import {LeaseWord, Phase} from "src-contracts/types/Lease.sol";
import {CourtTest} from "test/contracts/court/CourtTest.sol";
import {Packing, Terms} from "test/contracts/lib/Readable.sol";

/// @dev One row of the table of outcomes each, for a lease of one shard: bond 8, price 2, fee of a juror 1.
contract EnforceTest is CourtTest {
    /// @dev A price less 3 %.
    uint256 private constant PAID = 1.94e18;
    uint256 private constant HALF_PAID = 0.97e18;

    function _judged(Verdict[] memory votes) private returns (Suit memory s) {
        s = _challenged(_revealed(_terms(1)), 0);
        _tried(s, votes);
    }

    function _refuses(Suit memory s, bytes memory error) private {
        vm.expectRevert(error);
        market.enforce(s.w.t.pack(), s.w.l.pack(), s.w.r, s.index);
    }

    function _record() private view returns (uint16) {
        return market.node(alice.id).record;
    }

    /// @dev Claimed by alice, of a job that anybody may take.
    function _heldAmongAll() private returns (Work memory w) {
        Terms memory t = _terms(1);
        t.node = 0;
        w = _posted(t);
        _pass(30 minutes);
        vm.prank(alice.operator);
        market.claim(t.pack(), alice.id, 1);
        _read(w);
    }

    /* WHEN */

    function test_Enforce_WhenNobodyCanAppealAnyMore() external {
        Suit memory s = _judged(_all(Verdict.Valid, 5));
        uint256 until = vm.getBlockTimestamp() + APPEAL - 1;
        (uint40 appealUntil,) = market.disputeTimes(s.w.t.pack(), s.w.l.pack(), 0);
        assertEq(appealUntil, until);
        vm.warp(until);
        _refuses(s, abi.encodeWithSelector(JobFacts.TooEarly.selector, s.w.id, 0, until + 1));
        vm.warp(until + 1);
        _enforce(s);
    }

    function test_Enforce_LeavesNothingOfJuriesBehind() external {
        Suit memory s = _judged(_all(Verdict.Valid, 5));
        _appeal(s);
        _tried(s, _all(Verdict.Invalid, 11));
        _pass(1 hours);
        _enforce(s);
        for (uint8 round = 1; round < 3; ++round) {
            assertEq(Bench.unwrap(market.jury(s.key, round)), 0);
        }
        (address account, uint32 node) = market.appellant(s.key);
        assertEq(account, address(0));
        assertEq(node, 0);
    }

    function test_RevertWhen_NothingIsJudged() external {
        Suit memory s = _challenged(_revealed(_terms(1)), 0);
        _refuses(
            s,
            abi.encodeWithSelector(CourtFacts.DisputeInState.selector, s.key, DisputeState.Serving, DisputeState.Judged)
        );
    }

    function test_RevertWhen_TheResultIsAnother() external {
        Suit memory s = _judged(_all(Verdict.Valid, 5));
        _pass(APPEAL);
        s.w.r.units += 1;
        _refuses(s, abi.encodeWithSelector(JobFacts.LeaseMismatch.selector, s.w.id, 0));
    }

    function test_RevertWhen_EnforcedTwice() external {
        Suit memory s = _judged(_all(Verdict.Valid, 5));
        _pass(APPEAL);
        _enforce(s);
        _refuses(
            s,
            abi.encodeWithSelector(CourtFacts.DisputeInState.selector, s.key, DisputeState.Ended, DisputeState.Judged)
        );
    }

    /* OUTCOMES */

    function test_Enforce_Valid_PaysTheHolderOutOfTheChallengersBond() external {
        Suit memory s = _judged(_all(Verdict.Valid, 5));
        (, uint40 at) = market.lease(s.w.id, 0);
        _pass(APPEAL);
        vm.expectEmit(address(market));
        emit CourtFacts.DisputeEnded(s.key, Verdict.Valid, 0, 5 * FEE, 0, 0, 5_000);
        vm.expectEmit(address(market));
        emit CourtFacts.LeaseJudged(s.w.id, alice.id, 0, Verdict.Valid, 0, 0, 0);
        _enforce(s);

        assertEq(_balance(challenger), 990e18);
        assertEq(_balance(alice.owner), 2.5e18);
        assertEq(_burnt(), 2.5e18);
        (Phase phase, uint40 still) = market.lease(s.w.id, 0);
        assertEq(uint8(phase), uint8(Phase.Revealed));
        assertEq(still, at);
        _assertSolvent(PRICE);

        vm.warp(at + 30 minutes + 1);
        _settle(s.w);
        assertEq(_balance(alice.owner), 2.5e18 + PAID);
        assertEq(_locked(alice), 0);
        _assertSolvent(0);
    }

    function test_Enforce_Withheld_TakesTheJurorsFeesFromTheHolder() external {
        Suit memory s = _judged(_all(Verdict.Withheld, 5));
        _pass(APPEAL);
        vm.expectEmit(address(market));
        emit CourtFacts.DisputeEnded(s.key, Verdict.Withheld, 5 * FEE, 0, 5 * FEE, 0, 2_500);
        _enforce(s);

        assertEq(_balance(challenger), 1_000e18, "it costs the challenger nothing");
        assertEq(_stake(alice), STAKE - 5 * FEE);
        assertEq(_locked(alice), BOND - 5 * FEE);
        assertEq(_record(), 2_500);
        assertEq(_burnt(), 0);
        _assertSolvent(PRICE);

        vm.warp(vm.getBlockTimestamp() + 30 minutes);
        _settle(s.w);
        assertEq(_balance(alice.owner), PAID);
        assertEq(_locked(alice), 0, "what was left of the bond is free");
        _assertSolvent(0);
    }

    function test_Enforce_Invalid_TakesTheWholeBond() external {
        Suit memory s = _judged(_all(Verdict.Invalid, 5));
        _pass(APPEAL);
        // 8 − 5 for the jurors: half burnt, four tenths for the challenger, one tenth for the treasury.
        vm.expectEmit(address(market));
        emit CourtFacts.DisputeEnded(s.key, Verdict.Invalid, 5 * FEE, 0, 6.2e18, 0, 2_500);
        _enforce(s);

        assertEq(_balance(challenger), 1_001.2e18);
        assertEq(_stake(alice), STAKE - BOND);
        assertEq(_locked(alice), 0);
        assertEq(_balance(treasury), 0.3e18);
        assertEq(_burnt(), 1.5e18);
        assertEq(_record(), 2_500);
        assertEq(uint8(_phase(s.w)), uint8(Phase.Lapsed));
        assertEq(uint8(market.job(s.w.id).state), uint8(JobState.Open));
        LeaseWord word = LeaseWord.wrap(market.leaseWord(s.w.id, 0));
        assertEq(word.node(), alice.id, "it may not take it over");
        assertEq(word.bonus(), 0);
        _assertSolvent(PRICE);
    }

    function test_Enforce_SpecFault_EndsTheJob() external {
        Suit memory s = _judged(_all(Verdict.SpecFault, 5));
        (, uint40 at) = market.lease(s.w.id, 0);
        vm.warp(at + 30 minutes);
        _refuses(s, abi.encodeWithSelector(JobFacts.TooEarly.selector, s.w.id, 0, at + 30 minutes + 1));
        vm.warp(at + 30 minutes + 1);
        vm.expectEmit(address(market));
        emit CourtFacts.LeaseJudged(s.w.id, alice.id, 0, Verdict.SpecFault, HALF_PAID, 0.03e18, 1e18);
        _enforce(s);

        assertEq(_balance(alice.owner), HALF_PAID);
        assertEq(_balance(challenger), 995e18 + HALF_PAID);
        assertEq(_stake(alice), STAKE);
        assertEq(_locked(alice), 0);
        assertEq(_record(), 5_000);
        assertEq(uint8(market.job(s.w.id).state), uint8(JobState.Closed));
        _assertSolvent(0);
    }

    function test_Enforce_Undecided_SplitsThePrice() external {
        Suit memory s = _judged(_split(Verdict.Valid, 3, Verdict.Invalid, 2));
        (, uint40 at) = market.lease(s.w.id, 0);
        vm.warp(at + 30 minutes);
        _refuses(s, abi.encodeWithSelector(JobFacts.TooEarly.selector, s.w.id, 0, at + 30 minutes + 1));
        vm.warp(at + 30 minutes + 1);
        uint256 before = _balance(requester);
        _enforce(s);

        assertEq(_balance(alice.owner), HALF_PAID);
        assertEq(_balance(requester), before + PRICE / 2);
        assertEq(_balance(challenger), 995e18);
        assertEq(_stake(alice), STAKE);
        assertEq(_locked(alice), 0);
        assertEq(_burnt(), 0);
        assertEq(uint8(market.job(s.w.id).state), uint8(JobState.Closed));
        _assertSolvent(0);
    }

    function test_Enforce_Undecided_SplitsThePriceOfEveryShard() external {
        Suit memory s = _challenged(_revealed(_terms(4)), 2);
        _tried(s, _split(Verdict.Valid, 3, Verdict.Invalid, 2));
        _pass(31 minutes);
        uint256 before = _balance(requester);
        _enforce(s);
        assertEq(_balance(alice.owner), 4 * HALF_PAID);
        assertEq(_balance(requester), before + 2 * PRICE);
        _assertSolvent(0);
    }

    /// @dev What a failed holder left to whoever takes over is for a job that is done; this one never will be.
    function test_Enforce_Undecided_GivesTheBonusToTheTreasury() external {
        Work memory w = _heldAmongAll();
        Terms memory t = w.t;
        vm.warp(vm.getBlockTimestamp() + 5 minutes + 1);
        market.lapse(t.pack(), w.l.pack());
        _pass(30 minutes);
        vm.prank(bob.operator);
        market.takeOver(t.pack(), 0, bob.id);
        w.n = bob;
        _read(w);
        assertEq(w.l.bonus, 0.64e9, "40 % of a fifth of the bond, in gwei");
        _show(w);
        Suit memory s = _challenged(w, 0);
        _tried(s, _split(Verdict.Valid, 3, Verdict.Invalid, 2));
        _pass(31 minutes);
        uint256 before = _balance(treasury);
        _enforce(s);
        assertEq(_balance(treasury) - before, 0.64e18);
        assertEq(_balance(bob.owner), HALF_PAID);
        _assertSolvent(0);
    }

    function test_Enforce_None_LeavesTheLeaseAsItWas() external {
        Suit memory s = _judged(_all(Verdict.Invalid, 3));
        _pass(APPEAL);
        _enforce(s);

        assertEq(_balance(challenger), 997e18, "it paid who came");
        assertEq(uint8(_phase(s.w)), uint8(Phase.Revealed));
        _pass(30 minutes);
        _settle(s.w);
        assertEq(_balance(alice.owner), PAID);
        _assertSolvent(0);
    }

    /* WHAT A NODE FOUND TO BE IMPOSSIBLE */

    function test_Enforce_ATrueSpecFaultIsPaidItsKillFee() external {
        Suit memory s = _challenged(_revealed(_terms(1), true), 0);
        _decided(s, Verdict.SpecFault);
        assertEq(_balance(challenger), 990e18);
        assertEq(_balance(alice.owner), 2.5e18);
        _pass(30 minutes);
        _settle(s.w);
        assertEq(_balance(alice.owner), 2.5e18 + HALF_PAID);
        _assertSolvent(0);
    }

    function test_Enforce_AFalseSpecFaultIsInvalid() external {
        Suit memory s = _challenged(_revealed(_terms(1), true), 0);
        _decided(s, Verdict.Valid);
        assertEq(_stake(alice), STAKE - BOND);
        assertEq(_balance(challenger), 1_001.2e18);
        assertEq(uint8(_phase(s.w)), uint8(Phase.Lapsed));
    }

    /* A NODE CHALLENGES */

    function _byBob(Verdict[] memory votes) private returns (Suit memory s) {
        Work memory w = _revealed(_terms(1));
        vm.prank(bob.operator);
        market.challenge(w.t.pack(), w.l.pack(), w.r, _shard(w, 0), bob.id);
        s = _suit(w, 0);
        _tried(s, votes);
        _pass(30 minutes);
        _enforce(s);
    }

    function test_Enforce_Valid_TakesTheStakeOfTheChallengingNode() external {
        _byBob(_all(Verdict.Valid, 5));
        assertEq(_stake(bob), STAKE - 10 * FEE);
        assertEq(_locked(bob), 0);
        assertEq(_burnt(), 2.5e18);
        assertEq(_balance(alice.owner), 2.5e18);
        _assertSolvent(PRICE);
    }

    function test_Enforce_Invalid_RewardsTheOwnerOfTheChallengingNode() external {
        _byBob(_all(Verdict.Invalid, 5));
        assertEq(_stake(bob), STAKE - 5 * FEE, "what jurors were paid");
        assertEq(_locked(bob), 0);
        assertEq(_balance(bob.owner), 6.2e18);
        _assertSolvent(PRICE);
    }

    function test_Enforce_Undecided_FreesTheStakeOfTheChallengingNode() external {
        _byBob(_split(Verdict.Valid, 3, Verdict.SpecFault, 2));
        assertEq(_stake(bob), STAKE - 5 * FEE);
        assertEq(_locked(bob), 0);
        _assertSolvent(0);
    }

    function test_Enforce_SpecFault_CompensatesInTheJobsCurrency() external {
        Terms memory t = _terms(1);
        (t.currency, t.minPrice, t.maxPrice) = (address(usd), 2e6, 2e6);
        Suit memory s = _challenged(_revealed(t), 0);
        _tried(s, _all(Verdict.SpecFault, 5));
        _pass(30 minutes);
        _enforce(s);
        assertEq(market.balanceOf(address(usd), challenger), 0.97e6);
        assertEq(market.balanceOf(address(usd), alice.owner), 0.97e6);
        assertEq(market.feesOf(address(usd), challenger), 0.03e6);
        _assertSolvent(0);
    }

    /* TAKEN TWICE */

    function test_Enforce_Invalid_LeavesNothingBehindForTheNextHolder() external {
        Work memory w = _heldAmongAll();
        Terms memory t = w.t;
        _show(w);
        _decided(_challenged(w, 0), Verdict.Invalid);

        _pass(30 minutes);
        vm.prank(bob.operator);
        market.takeOver(t.pack(), 0, bob.id);
        w.n = bob;
        _read(w);
        _show(w);
        Suit memory again = _challenged(w, 0);
        assertEq(uint8(_dispute(again).state), uint8(DisputeState.Serving), "the shard is another claim's");
        _decided(again, Verdict.Valid);
        _pass(30 minutes);
        _settle(w);
        assertEq(_stake(bob), STAKE);
        assertEq(_locked(bob), 0);
        _assertSolvent(0);
    }
}
