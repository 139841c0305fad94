// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {CourtFacts} from "src-contracts/interfaces/ICourt.sol";
import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {Dispute, DisputeState, Verdict} from "src-contracts/types/Dispute.sol";
import {Phase} from "src-contracts/types/Lease.sol";
import {CourtTest} from "test/contracts/court/CourtTest.sol";
import {Packing} from "test/contracts/lib/Readable.sol";

contract AppealTest is CourtTest {
    function _first(Verdict[] memory votes) private returns (Suit memory s) {
        s = _challenged(_revealed(_terms(1)), 0);
        _tried(s, votes);
    }

    function _refuses(Suit memory s, bytes memory error) private {
        vm.prank(second);
        vm.expectRevert(error);
        market.appeal(s.w.t.pack(), s.w.l.pack(), s.index, 0);
    }

    /// @dev What is told of a judged dispute: until when it can be appealed, twice.
    function _assertLastSecond(Suit memory s, uint256 until) private view {
        (uint40 serveUntil, uint40 speakUntil) = market.disputeTimes(s.w.t.pack(), s.w.l.pack(), s.index);
        assertEq(serveUntil, until);
        assertEq(speakUntil, until);
    }

    /// @dev Both rounds, enforced.
    function _twice(Verdict[] memory one, Verdict[] memory two) private returns (Suit memory s) {
        s = _first(one);
        _appeal(s);
        _tried(s, two);
        vm.warp(vm.getBlockTimestamp() + 30 minutes); // past the challenge window
        _enforce(s);
    }

    function test_Appeal_BeginsASecondRound() external {
        Suit memory s = _first(_all(Verdict.Valid, 5));
        vm.expectEmit(address(market));
        emit CourtFacts.Appealed(s.key, second, 0);
        _appeal(s);
        Dispute memory d = _dispute(s);
        assertEq(uint8(d.state), uint8(DisputeState.Serving));
        assertEq(d.round, 2);
        assertEq(d.at, vm.getBlockTimestamp());
        assertEq(d.atBlock, vm.getBlockNumber());
        assertEq(_balance(second), 989e18);
        (address account, uint32 node) = market.appellant(s.key);
        assertEq(account, second);
        assertEq(node, 0);
    }

    function test_Appeal_ByTheStakeOfANode() external {
        Suit memory s = _first(_all(Verdict.Invalid, 5));
        vm.prank(alice.operator);
        market.appeal(s.w.t.pack(), s.w.l.pack(), 0, alice.id);
        assertEq(_locked(alice), BOND + 11 * FEE);
        (address account, uint32 node) = market.appellant(s.key);
        assertEq(account, address(0));
        assertEq(node, alice.id);
        s.round = 2;
        _tried(s, _all(Verdict.Valid, 11));
        _enforce(s);
        // The challenger's last five fees repay five of the eleven that the holder had to spend.
        assertEq(_stake(alice), STAKE - 11 * FEE);
        assertEq(_balance(alice.owner), 5 * FEE);
        assertEq(_locked(alice), BOND, "the lease goes on");
        assertEq(_balance(challenger), 990e18);
        _assertSolvent(PRICE);
    }

    function test_Appeal_UntilTheLastSecond() external {
        Suit memory s = _first(_all(Verdict.Valid, 5));
        uint256 until = vm.getBlockTimestamp() + APPEAL - 1;
        _assertLastSecond(s, until);
        vm.warp(until + 1);
        _refuses(s, abi.encodeWithSelector(JobFacts.DeadlinePassed.selector, s.w.id, 0, until));
        vm.warp(until);
        _appeal(s);
    }

    function test_RevertWhen_NothingIsJudged() external {
        Suit memory s = _challenged(_revealed(_terms(1)), 0);
        _refuses(
            s,
            abi.encodeWithSelector(CourtFacts.DisputeInState.selector, s.key, DisputeState.Serving, DisputeState.Judged)
        );
    }

    function test_RevertWhen_TheSecondVerdictIsAppealed() external {
        Suit memory s = _first(_all(Verdict.Valid, 5));
        _appeal(s);
        _tried(s, _all(Verdict.Valid, 11));
        _assertLastSecond(s, 0);
        _refuses(s, abi.encodeWithSelector(CourtFacts.RoundFinal.selector, s.key));
        _enforce(s);
    }

    function test_Appeal_ThatChangesNothingCostsTheAppellantTheJury() external {
        _twice(_all(Verdict.Valid, 5), _split(Verdict.Valid, 10, Verdict.Invalid, 1));
        assertEq(_balance(second), 990e18, "one fee was not spent");
        assertEq(_balance(challenger), 990e18);
        assertEq(_balance(alice.owner), 2.5e18);
        _assertSolvent(PRICE);
    }

    function test_Appeal_FromValidToInvalidRepaysTheAppellantFromTheBond() external {
        _twice(_all(Verdict.Valid, 5), _all(Verdict.Invalid, 8));
        // Bond 8: five for the challenger, three of eight for the appellant, nothing is left to share.
        assertEq(_balance(challenger), 1_000e18);
        assertEq(_balance(second), 989e18 + 3 * FEE + 3 * FEE);
        assertEq(_stake(alice), STAKE - BOND);
        assertEq(_burnt(), 0);
        _assertSolvent(PRICE);
    }

    function test_Appeal_FromInvalidToValidSavesTheHolder() external {
        Suit memory s = _twice(_all(Verdict.Invalid, 5), _all(Verdict.Valid, 11));
        assertEq(_stake(alice), STAKE);
        assertEq(_balance(second), 989e18 + 5 * FEE, "the challenger's rest");
        assertEq(_balance(challenger), 990e18);
        assertEq(_balance(alice.owner), 0);
        assertEq(uint8(_phase(s.w)), uint8(Phase.Revealed));
        _assertSolvent(PRICE);
    }

    function test_Appeal_FromValidToWithheldIsPaidByTheHolder() external {
        _twice(_all(Verdict.Valid, 5), _all(Verdict.Withheld, 11));
        assertEq(_stake(alice), STAKE - BOND, "no more than a shard's bond");
        assertEq(_balance(challenger), 1_000e18);
        assertEq(_balance(second), 989e18 + 3 * FEE);
        _assertSolvent(PRICE);
    }

    /// @dev Who would lose by the first verdict cannot get rid of it by a jury that does not come together.
    function test_Appeal_WithoutAQuorumLeavesTheFirstVerdict() external {
        uint256 snapshot = vm.snapshotState();
        Verdict[4] memory firsts = [Verdict.Valid, Verdict.Withheld, Verdict.Invalid, Verdict.SpecFault];
        for (uint256 i; i < 4; ++i) {
            Suit memory s = _twice(_all(firsts[i], 5), _split(Verdict.Valid, 7, Verdict.Invalid, 4));
            assertEq(uint8(_dispute(s).verdict), uint8(firsts[i]), "split");
            vm.revertToState(snapshot);
            s = _twice(_all(firsts[i], 5), _all(Verdict.Valid, 7));
            assertEq(uint8(_dispute(s).verdict), uint8(firsts[i]), "too few");
            vm.revertToState(snapshot);
        }
    }

    function test_Appeal_DecidesWhatTheFirstJuryCouldNot() external {
        Suit memory s = _twice(_split(Verdict.Valid, 3, Verdict.Invalid, 2), _all(Verdict.Invalid, 8));
        assertEq(uint8(_dispute(s).verdict), uint8(Verdict.Invalid));
        assertEq(_balance(second), 989e18 + 3 * FEE + 3 * FEE);
        _assertSolvent(PRICE);
    }

    /// @dev Else a holder would have a friend challenge while no jury comes: each shard is disputed once.
    function test_Appeal_JudgesWhatNoJuryCameFor() external {
        Suit memory s = _twice(_all(Verdict.Valid, 2), _all(Verdict.Invalid, 8));
        assertEq(uint8(_dispute(s).verdict), uint8(Verdict.Invalid));
        // The two who came first are paid out of the bond too, which is eight fees.
        assertEq(_balance(second), 989e18 + 3 * FEE + 6 * FEE, "the second jury is repaid as far as the bond goes");
        _assertSolvent(PRICE);
    }

    function test_Appeal_LeavesUndecidedWhatNeitherJuryCouldDecide() external {
        Suit memory s = _twice(_split(Verdict.Valid, 3, Verdict.Invalid, 2), _all(Verdict.Valid, 2));
        assertEq(uint8(_dispute(s).verdict), uint8(Verdict.Undecided));
        Suit memory other = _twice(_all(Verdict.Valid, 2), _split(Verdict.Valid, 7, Verdict.Invalid, 4));
        assertEq(uint8(_dispute(other).verdict), uint8(Verdict.Undecided));
        Suit memory last = _twice(_all(Verdict.Valid, 2), _all(Verdict.Valid, 2));
        assertEq(uint8(_dispute(last).verdict), uint8(Verdict.None));
        _assertSolvent(PRICE);
    }

    /// @dev The longest way takes what `worstCaseExit` says: two rounds and an appeal in 2 · exec + 5 · reveal, and a second.
    function test_Appeal_TheLongestWay() external {
        Suit memory s = _challenged(_revealed(_terms(1)), 0);
        uint256 begun = vm.getBlockTimestamp();
        vm.warp(begun + SPEAK + 1);
        _judge(s);
        vm.warp(vm.getBlockTimestamp() + APPEAL - 1);
        _appeal(s);
        vm.warp(vm.getBlockTimestamp() + SPEAK + 1);
        _judge(s);
        _enforce(s);
        assertEq(vm.getBlockTimestamp(), begun + 2 * 5 minutes + 5 * 10 minutes + 1);
    }
}
