// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {CourtFacts} from "src-contracts/interfaces/ICourt.sol";
import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {NodeFacts} from "src-contracts/interfaces/INodes.sol";
import {DisputeState, Verdict} from "src-contracts/types/Dispute.sol";
import {CourtTest} from "test/contracts/court/CourtTest.sol";
import {Packing, Terms} from "test/contracts/lib/Readable.sol";

contract ServeTest is CourtTest {
    bytes32 private constant WORD = keccak256("commitment");

    function _sits(Suit memory s, Actor memory n) private {
        vm.prank(n.operator);
        market.serve(s.w.t.pack(), s.w.l.pack(), s.index, n.id, WORD);
    }

    function _refuses(Suit memory s, Actor memory n, bytes memory error) private {
        vm.prank(n.operator);
        vm.expectRevert(error);
        market.serve(s.w.t.pack(), s.w.l.pack(), s.index, n.id, WORD);
    }

    function _open() private returns (Suit memory s) {
        s = _challenged(_revealed(_terms(1)), 0);
        _pass(DRAWN);
    }

    function _assertMay(Suit memory s, Actor memory n, bool may, uint40 since) private view {
        (bool now_, uint40 from) = market.drawnToJury(s.w.t.pack(), s.w.l.pack(), s.index, n.id);
        assertEq(now_, may);
        assertEq(from, since);
    }

    function _assertNever(Suit memory s, Actor memory n) private view {
        _assertMay(s, n, false, 0);
    }

    function test_Serve_SeatsTheJurorAndLocksItsBond() external {
        Suit memory s = _open();
        (bool now_,) = market.drawnToJury(s.w.t.pack(), s.w.l.pack(), s.index, jurors[0].id);
        assertTrue(now_);
        vm.expectEmit(address(market));
        emit CourtFacts.JurorServed(s.key, jurors[0].id, 1, WORD);
        _sits(s, jurors[0]);
        assertEq(_locked(jurors[0]), FEE);
        uint256 chain = uint256(keccak256(abi.encode(uint256(0), uint256(jurors[0].id), WORD)));
        assertEq(market.jury(s.key, 1).chain(), chain & ((1 << 168) - 1));
    }

    function test_RevertWhen_TheCallerIsNotTheOperator() external {
        Suit memory s = _open();
        vm.prank(jurors[0].owner);
        vm.expectRevert(abi.encodeWithSelector(NodeFacts.NotNodeOperator.selector, jurors[0].id, jurors[0].owner));
        market.serve(s.w.t.pack(), s.w.l.pack(), 0, jurors[0].id, WORD);
    }

    function test_RevertWhen_TheCommitmentIsZero() external {
        Suit memory s = _open();
        vm.prank(jurors[0].operator);
        vm.expectRevert(abi.encodeWithSelector(JobFacts.CommitmentZero.selector, s.w.id, 0));
        market.serve(s.w.t.pack(), s.w.l.pack(), 0, jurors[0].id, 0);
    }

    function test_RevertWhen_NothingIsDisputed() external {
        Work memory w = _revealed(_terms(1));
        Suit memory s = _suit(w, 0);
        _refuses(
            s,
            jurors[0],
            abi.encodeWithSelector(CourtFacts.DisputeInState.selector, s.key, DisputeState.None, DisputeState.Serving)
        );
        _assertNever(s, jurors[0]);
    }

    function test_Serve_UntilTheLastSecond() external {
        Suit memory s = _open();
        uint256 until = _dispute(s).at + SERVE;
        (uint40 serveUntil, uint40 speakUntil) = market.disputeTimes(s.w.t.pack(), s.w.l.pack(), 0);
        assertEq(serveUntil, until);
        assertEq(speakUntil, until + 10 minutes);
        vm.warp(until + 1);
        _refuses(s, jurors[0], abi.encodeWithSelector(JobFacts.DeadlinePassed.selector, s.w.id, 0, until));
        _assertNever(s, jurors[0]);
        vm.warp(until);
        _sits(s, jurors[0]);
    }

    function test_RevertWhen_TheDrawsBlockIsNotThere() external {
        Suit memory s = _challenged(_revealed(_terms(1)), 0);
        _refuses(
            s, jurors[0], abi.encodeWithSelector(JobFacts.NotDrawn.selector, s.w.id, jurors[0].id, type(uint40).max)
        );
    }

    function test_RevertWhen_TheNodeIsNotDrawnYet() external {
        Suit memory s = _challenged(_revealed(_terms(1)), 0);
        vm.roll(vm.getBlockNumber() + 2);
        for (uint256 seed = 1;; ++seed) {
            vm.setBlockhash(vm.getBlockNumber() - 1, bytes32(seed));
            (bool now_, uint40 from) = market.drawnToJury(s.w.t.pack(), s.w.l.pack(), 0, jurors[0].id);
            if (now_) continue;
            vm.warp(from - 1);
            _assertMay(s, jurors[0], false, from);
            _refuses(s, jurors[0], abi.encodeWithSelector(JobFacts.NotDrawn.selector, s.w.id, jurors[0].id, from));
            vm.warp(from);
            _assertMay(s, jurors[0], true, from);
            _sits(s, jurors[0]);
            return;
        }
    }

    function test_RevertWhen_TheNodeIsYoungerThanTheDispute() external {
        Suit memory s = _challenged(_revealed(_terms(1)), 0);
        Actor memory late = _node("late");
        _pass(DRAWN);
        _refuses(
            s, late, abi.encodeWithSelector(JobFacts.NotDrawn.selector, s.w.id, late.id, _dispute(s).at + 30 minutes)
        );
    }

    function test_RevertWhen_TheRuntimeIsAnother() external {
        Suit memory s = _open();
        vm.prank(jurors[0].owner);
        market.setNode(jurors[0].id, jurors[0].operator, 4, 0, "http://127.0.0.1/");
        _refuses(s, jurors[0], abi.encodeWithSelector(JobFacts.NodeNotEligible.selector, s.w.id, jurors[0].id));
        _assertNever(s, jurors[0]);
    }

    function test_RevertWhen_TheTierIsTooLow() external {
        Terms memory t = _terms(1);
        t.tier = 2;
        vm.prank(governor);
        market.setTier(alice.id, 2, uint40(T0 + 100 days));
        Suit memory s = _challenged(_revealed(t), 0);
        _pass(DRAWN);
        _refuses(s, jurors[0], abi.encodeWithSelector(JobFacts.NodeNotEligible.selector, s.w.id, jurors[0].id));
        uint40 until = uint40(vm.getBlockTimestamp());
        vm.prank(governor);
        market.setTier(jurors[0].id, 2, until);
        vm.warp(until + 1);
        _refuses(s, jurors[0], abi.encodeWithSelector(JobFacts.NodeNotEligible.selector, s.w.id, jurors[0].id));
        vm.warp(until);
        _sits(s, jurors[0]);
    }

    function test_RevertWhen_TheJurorHasASide() external {
        Actor memory ours = _nodeOf(challenger, "ours");
        Actor memory theirs = _nodeOf(alice.owner, "theirs");
        Actor memory payers = _nodeOf(requester, "payers");
        _pass(1);
        Suit memory s = _open();
        Actor[4] memory sides = [alice, ours, theirs, payers];
        for (uint256 i; i < sides.length; ++i) {
            _refuses(s, sides[i], abi.encodeWithSelector(CourtFacts.JurorIsParty.selector, s.key, sides[i].id));
            _assertNever(s, sides[i]);
        }
    }

    function test_RevertWhen_TheJurorsOwnerChallengedByANode() external {
        Actor memory sister = _nodeOf(bob.owner, "sister");
        _pass(1);
        Work memory w = _revealed(_terms(1));
        vm.prank(bob.operator);
        market.challenge(w.t.pack(), w.l.pack(), w.r, _shard(w, 0), bob.id);
        Suit memory s = _suit(w, 0);
        _pass(DRAWN);
        _refuses(s, sister, abi.encodeWithSelector(CourtFacts.JurorIsParty.selector, s.key, sister.id));
    }

    function test_RevertWhen_TheAppellantWantsToBeJuror() external {
        Actor memory ours = _nodeOf(second, "ours");
        _pass(1);
        Suit memory s = _challenged(_revealed(_terms(1)), 0);
        _tried(s, _all(Verdict.Valid, 5));
        _appeal(s);
        _pass(DRAWN);
        _refuses(s, ours, abi.encodeWithSelector(CourtFacts.JurorIsParty.selector, s.key, ours.id));
    }

    function test_RevertWhen_AJurorSitsTwice() external {
        Suit memory s = _open();
        _sits(s, jurors[0]);
        bytes memory error = abi.encodeWithSelector(CourtFacts.JurorServedAlready.selector, s.key, jurors[0].id);
        _refuses(s, jurors[0], error);
        _assertNever(s, jurors[0]);
    }

    function test_RevertWhen_AJurorOfTheFirstRoundWantsTheSecond() external {
        Suit memory s = _challenged(_revealed(_terms(1)), 0);
        _tried(s, _all(Verdict.Valid, 5));
        _appeal(s);
        _pass(DRAWN);
        for (uint256 i; i < 5; ++i) {
            Actor memory n = _juror(s, i);
            _refuses(s, n, abi.encodeWithSelector(CourtFacts.JurorServedAlready.selector, s.key, n.id));
        }
        _sits(s, _next(s));
    }

    function test_RevertWhen_EverySeatIsTaken() external {
        Suit memory s = _open();
        for (uint256 i; i < 5; ++i) {
            _sits(s, jurors[i]);
        }
        _refuses(s, jurors[5], abi.encodeWithSelector(CourtFacts.JuryFull.selector, s.key, 5));
        _assertNever(s, jurors[5]);
    }

    function test_RevertWhen_TheSecondJuryIsFull() external {
        Suit memory s = _challenged(_revealed(_terms(1)), 0);
        _tried(s, _all(Verdict.Valid, 5));
        _appeal(s);
        _pass(DRAWN);
        for (uint256 i; i < 11; ++i) {
            _sits(s, _next(s));
        }
        _refuses(s, jurors[JURORS - 1], abi.encodeWithSelector(CourtFacts.JuryFull.selector, s.key, 11));
    }

    function test_RevertWhen_TheStakeIsTooLow() external {
        Suit memory s = _open();
        vm.prank(jurors[0].owner);
        market.queueUnstake(jurors[0].id, STAKE - 999e18);
        _refuses(s, jurors[0], abi.encodeWithSelector(NodeFacts.StakeTooLow.selector, jurors[0].id, 999e18, 1_000e18));
    }
}
