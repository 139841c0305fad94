// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {CourtFacts} from "src-contracts/interfaces/ICourt.sol";
import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {Dispute, DisputeState, Juror, Testimony, Verdict} from "src-contracts/types/Dispute.sol";
import {CourtTest} from "test/contracts/court/CourtTest.sol";
import {Packing} from "test/contracts/lib/Readable.sol";

contract JudgeTest is CourtTest {
    function _open() internal returns (Suit memory) {
        return _challenged(_revealed(_terms(1)), 0);
    }

    function _refuses(Suit memory s, bytes memory error) private {
        vm.expectRevert(error);
        market.judge(s.w.t.pack(), s.w.l.pack(), s.index, s.said);
    }

    function _testify(Suit memory s, uint256 at, Testimony memory said) private {
        market.testify(s.w.t.pack(), s.w.l.pack(), s.index, _list(s), at, said);
    }

    function _refusesTestimony(Suit memory s, uint256 at, Testimony memory said, bytes memory error) private {
        Juror[] memory list = _list(s);
        vm.expectRevert(error);
        market.testify(s.w.t.pack(), s.w.l.pack(), s.index, list, at, said);
    }

    /* JUDGE */

    function test_Judge_AtOnceWhenAllHaveServed() external {
        Suit memory s = _open();
        _serve(s, _all(Verdict.Valid, 5));
        vm.expectEmit(address(market));
        emit CourtFacts.JurorSpoke(s.key, s.said[0].node, 1, Verdict.Valid, keccak256("own"), 7, keccak256("evidence"));
        vm.expectEmit(address(market));
        emit CourtFacts.Judged(s.key, 1, Verdict.Valid, Verdict.Valid, 5, 5);
        _judge(s);

        Dispute memory d = _dispute(s);
        assertEq(uint8(d.state), uint8(DisputeState.Judged));
        assertEq(d.at, vm.getBlockTimestamp());
        assertEq(d.paid, 5);
        for (uint256 i; i < 5; ++i) {
            assertEq(_locked(_juror(s, i)), 0);
            assertEq(_balance(_juror(s, i).owner), FEE);
        }
        _assertSolvent(PRICE + 5 * FEE);
    }

    function test_Judge_SlashesWhoDiffers() external {
        Suit memory s = _open();
        _tried(s, _split(Verdict.Invalid, 4, Verdict.Valid, 1));
        Actor memory wrong = _juror(s, 4);
        assertEq(uint8(_dispute(s).verdict), uint8(Verdict.Invalid));
        assertEq(_stake(wrong), STAKE - FEE);
        assertEq(_locked(wrong), 0);
        assertEq(_balance(wrong.owner), 0);
        assertEq(_balance(treasury), FEE / 2);
        assertEq(_burnt(), FEE / 2);
        assertEq(_dispute(s).paid, 4);
        _assertSolvent(PRICE + 6 * FEE);
    }

    function test_Judge_OfFourWhenServingIsOver() external {
        Suit memory s = _open();
        _serve(s, _all(Verdict.Valid, 4));
        uint256 over = _dispute(s).at + SERVE;
        vm.warp(over);
        _refuses(s, abi.encodeWithSelector(JobFacts.TooEarly.selector, s.w.id, 0, over + 1));
        vm.warp(over + 1);
        _judge(s);
        assertEq(uint8(_dispute(s).verdict), uint8(Verdict.Valid));
    }

    function test_Judge_WaitsForTheSilent() external {
        Suit memory s = _open();
        _serve(s, _split(Verdict.Valid, 4, Verdict.Undecided, 1));
        uint256 until = _dispute(s).at + SPEAK;
        vm.warp(until);
        _refuses(s, abi.encodeWithSelector(JobFacts.TooEarly.selector, s.w.id, 0, until + 1));
        vm.warp(until + 1);
        Testimony memory late = s.said[0];
        // Who speaks now is late.
        _refuses(s, abi.encodeWithSelector(JobFacts.DeadlinePassed.selector, s.w.id, 0, until));
        for (uint256 i; i < 4; ++i) {
            _silence(s, i);
        }
        _judge(s);
        assertEq(uint8(_dispute(s).verdict), uint8(Verdict.Undecided), "all stayed silent");
        assertEq(_stake(_juror(s, 0)), STAKE - FEE);
        assertEq(late.node, s.said[0].node);
        assertEq(_dispute(s).paid, 0);
        _assertSolvent(PRICE + 10 * FEE);
    }

    function test_RevertWhen_JurorsAreLeftOutOrInAnotherOrder() external {
        Suit memory s = _open();
        _serve(s, _all(Verdict.Valid, 5));
        vm.warp(_dispute(s).at + SERVE + 1);
        bytes memory error = abi.encodeWithSelector(CourtFacts.JurorsMismatch.selector, s.key);
        (s.said[0], s.said[1]) = (s.said[1], s.said[0]);
        _refuses(s, error);
        (s.said[0], s.said[1]) = (s.said[1], s.said[0]);
        Testimony[] memory all = s.said;
        s.said = new Testimony[](4);
        for (uint256 i; i < 4; ++i) {
            s.said[i] = all[i];
        }
        _refuses(s, error);
        s.said = all;
        s.said[2].units = 8;
        _refuses(s, error);
        s.said[2].units = 7;
        _judge(s);
    }

    function test_RevertWhen_AVoteIsNone() external {
        Suit memory s = _open();
        _serve(s, _all(Verdict.Valid, 5));
        // Bound to "undecided", which is no vote: it can only be silent.
        Suit memory other = _challenged(_revealed(_terms(1)), 0);
        _serve(other, _all(Verdict.Undecided, 5));
        for (uint256 i; i < 5; ++i) {
            other.said[i] = Testimony(
                other.said[i].node, Verdict.Undecided, keccak256("own"), 7, keccak256("evidence"), bytes32(i + 1)
            );
        }
        _refuses(other, abi.encodeWithSelector(CourtFacts.TestimonyInvalid.selector, other.key, other.said[0].node));
        _judge(s);
    }

    function test_Judge_OfNobody() external {
        Suit memory s = _open();
        _tried(s, _all(Verdict.Valid, 0));
        Dispute memory d = _dispute(s);
        assertEq(uint8(d.verdict), uint8(Verdict.None));
        assertEq(d.paid, 0);
    }

    function test_Judge_FindsNothingWhenFewerThanAQuorumCame() external {
        Suit memory s = _open();
        _tried(s, _all(Verdict.Invalid, 3));
        assertEq(uint8(_dispute(s).verdict), uint8(Verdict.None));
        assertEq(_dispute(s).paid, 3, "who came is paid");
        assertEq(_balance(_juror(s, 2).owner), FEE);
    }

    function test_Judge_AQuorumThatDoesNotAgreeIsUndecided() external {
        Suit memory s = _open();
        _tried(s, _split(Verdict.Valid, 2, Verdict.Invalid, 2));
        assertEq(uint8(_dispute(s).verdict), uint8(Verdict.Undecided), "four came");
        assertEq(_dispute(s).paid, 4);
    }

    function test_Judge_FourOfFiveAreAQuorumForEveryVerdict() external {
        for (uint256 i; i < 3; ++i) {
            Verdict found = [Verdict.Valid, Verdict.Invalid, Verdict.SpecFault][i];
            Verdict other = found == Verdict.Valid ? Verdict.Invalid : Verdict.Valid;
            Suit memory s = _open();
            _tried(s, _split(found, 4, other, 1));
            assertEq(uint8(_dispute(s).verdict), uint8(found));
            s = _open();
            _tried(s, _split(found, 3, other, 2));
            assertEq(uint8(_dispute(s).verdict), uint8(Verdict.Undecided));
        }
    }

    function test_Judge_CountsWithheldAsRight() external {
        Suit memory s = _open();
        _tried(s, _split(Verdict.Withheld, 2, Verdict.Valid, 2));
        assertEq(uint8(_dispute(s).verdict), uint8(Verdict.Valid), "half is not most");
        Suit memory other = _open();
        _tried(other, _split(Verdict.Withheld, 3, Verdict.Valid, 2));
        assertEq(uint8(_dispute(other).verdict), uint8(Verdict.Withheld));
        assertEq(_dispute(other).paid, 5);
    }

    function test_Judge_OfAClaimThatTheJobCannotBeDone() external {
        Suit memory s = _challenged(_revealed(_terms(1), true), 0);
        _tried(s, _split(Verdict.SpecFault, 4, Verdict.Valid, 1));
        assertEq(uint8(_dispute(s).verdict), uint8(Verdict.Valid), "it is so");
        assertEq(_dispute(s).paid, 4);
        Suit memory other = _challenged(_revealed(_terms(1), true), 0);
        _tried(other, _split(Verdict.Invalid, 2, Verdict.Withheld, 3));
        assertEq(
            uint8(_dispute(other).verdict), uint8(Verdict.Invalid), "whoever could do it shows that it can be done"
        );
        assertEq(_dispute(other).paid, 5);
    }

    function test_RevertWhen_JudgedTwice() external {
        Suit memory s = _open();
        _tried(s, _all(Verdict.Valid, 5));
        _refuses(
            s,
            abi.encodeWithSelector(CourtFacts.DisputeInState.selector, s.key, DisputeState.Judged, DisputeState.Serving)
        );
    }

    function test_Judge_SpendsTheStakeOfAChallengingNode() external {
        Work memory w = _revealed(_terms(1));
        vm.prank(bob.operator);
        market.challenge(w.t.pack(), w.l.pack(), w.r, _shard(w, 0), bob.id);
        Suit memory s = _suit(w, 0);
        _tried(s, _all(Verdict.Valid, 5));
        assertEq(_stake(bob), STAKE - 5 * FEE);
        assertEq(_locked(bob), 5 * FEE);
        _assertSolvent(PRICE);
    }

    /* TESTIFY */

    function test_Testify_SpeaksForOne() external {
        Suit memory s = _open();
        _serve(s, _all(Verdict.Valid, 5));
        vm.expectEmit(address(market));
        emit CourtFacts.JurorSpoke(s.key, s.said[3].node, 1, Verdict.Valid, keccak256("own"), 7, keccak256("evidence"));
        _testify(s, 3, s.said[3]);
        for (uint256 i; i < 3; ++i) {
            _testify(s, i, s.said[i]);
        }
        for (uint256 i; i < 5; ++i) {
            _silence(s, i);
        }
        vm.warp(_dispute(s).at + SPEAK + 1);
        _judge(s);
        assertEq(uint8(_dispute(s).verdict), uint8(Verdict.Valid), "four have spoken");
        assertEq(_stake(_juror(s, 4)), STAKE - FEE, "one has not");
        assertEq(_dispute(s).marks, 0);
    }

    function test_Testify_FirstAndJudgeWithTheSaltsOfTheRest() external {
        Suit memory s = _open();
        _serve(s, _all(Verdict.Invalid, 5));
        _testify(s, 2, s.said[2]);
        _judge(s);
        assertEq(uint8(_dispute(s).verdict), uint8(Verdict.Invalid));
        assertEq(_dispute(s).paid, 5);
    }

    function test_RevertWhen_AJurorSpeaksWhatIsNoVote() external {
        Suit memory s = _open();
        _serve(s, _all(Verdict.Undecided, 5));
        for (uint256 i; i < 5; ++i) {
            s.said[i] = Testimony(
                s.said[i].node, Verdict.Undecided, keccak256("own"), 7, keccak256("evidence"), bytes32(i + 1)
            );
        }
        _refusesTestimony(
            s, 2, s.said[2], abi.encodeWithSelector(CourtFacts.TestimonyInvalid.selector, s.key, s.said[2].node)
        );
    }

    /// @dev The votes of the first round are gone: whoever has its first places in the second speaks for itself.
    function test_Testify_InTheSamePlacesInBothRounds() external {
        Suit memory s = _open();
        _serve(s, _all(Verdict.Invalid, 5));
        for (uint256 i; i < 4; ++i) {
            _testify(s, i, s.said[i]);
        }
        _judge(s);
        _appeal(s);
        _serve(s, _all(Verdict.Valid, 11));
        for (uint256 i; i < 11; ++i) {
            _testify(s, i, s.said[i]);
        }
        _judge(s);
        assertEq(uint8(_dispute(s).verdict), uint8(Verdict.Valid));
    }

    function test_RevertWhen_AJurorSpeaksTwice() external {
        Suit memory s = _open();
        _serve(s, _all(Verdict.Valid, 5));
        _testify(s, 1, s.said[1]);
        _refusesTestimony(
            s, 1, s.said[1], abi.encodeWithSelector(CourtFacts.JurorSpokeAlready.selector, s.key, s.said[1].node)
        );
    }

    function test_RevertWhen_ATestimonyIsNotWhatTheJurorIsBoundTo() external {
        Suit memory s = _open();
        _serve(s, _all(Verdict.Valid, 5));
        Testimony memory said = abi.decode(abi.encode(s.said[1]), (Testimony));
        said.verdict = Verdict.Invalid;
        bytes memory error = abi.encodeWithSelector(CourtFacts.TestimonyInvalid.selector, s.key, said.node);
        _refusesTestimony(s, 1, said, error);
        _refusesTestimony(
            s, 0, s.said[1], abi.encodeWithSelector(CourtFacts.TestimonyInvalid.selector, s.key, s.said[1].node)
        );
        bytes memory unknown = abi.encodeWithSelector(CourtFacts.JurorsMismatch.selector, s.key);
        _refusesTestimony(s, 5, s.said[1], unknown);
        Testimony memory kept = s.said[0];
        s.said[0] = s.said[1];
        _refusesTestimony(s, 1, s.said[1], unknown);
        s.said[0] = kept;
        _testify(s, 1, s.said[1]);
    }

    function test_Testify_FromTheEndOfServingToTheLastSecond() external {
        Suit memory s = _open();
        _serve(s, _all(Verdict.Valid, 4));
        uint256 opens = _dispute(s).at + SERVE + 1;
        vm.warp(opens - 1);
        _refusesTestimony(s, 0, s.said[0], abi.encodeWithSelector(JobFacts.TooEarly.selector, s.w.id, 0, opens));
        vm.warp(opens);
        _testify(s, 0, s.said[0]);
        uint256 until = _dispute(s).at + SPEAK;
        vm.warp(until + 1);
        _refusesTestimony(s, 1, s.said[1], abi.encodeWithSelector(JobFacts.DeadlinePassed.selector, s.w.id, 0, until));
        vm.warp(until);
        _testify(s, 1, s.said[1]);
    }
}
