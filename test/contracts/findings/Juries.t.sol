// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {CourtFacts} from "src-contracts/interfaces/ICourt.sol";
import {NodeFacts} from "src-contracts/interfaces/INodes.sol";
import {DisputeState, Testimony, Verdict} from "src-contracts/types/Dispute.sol";
import {Params} from "src-contracts/types/Params.sol";
import {CourtTest} from "test/contracts/court/CourtTest.sol";

/// @dev What went wrong in other systems where somebody judges; see `docs/findings.md`.
contract JuryFindingsTest is CourtTest {
    function _serveAs(Suit memory s, Actor memory n, bytes32 commitment) private {
        vm.prank(n.operator);
        market.serve(s.w.t.pack(), s.w.l.pack(), s.index, n.id, commitment);
    }

    /// @dev A vote names its juror. Who copies a commitment cannot speak with it, and loses its fee as a silent one.
    function test_ACopiedVoteOpensForNobodyElse() external {
        Suit memory s = _challenged(_revealed(_terms(1)), 0);
        _serve(s, _all(Verdict.Valid, 4));
        bytes32 copied = market.testimonyOf(s.key, 1, s.said[0]);
        Actor memory copier = _next(s);
        _serveAs(s, copier, copied);

        Testimony[] memory said = new Testimony[](5);
        for (uint256 i; i < 4; ++i) {
            said[i] = s.said[i];
        }
        said[4] = abi.decode(abi.encode(s.said[0]), (Testimony)); // as its author would speak
        said[4].node = copier.id;
        s.said = abi.decode(abi.encode(said), (Testimony[]));
        vm.expectRevert(abi.encodeWithSelector(CourtFacts.JurorsMismatch.selector, s.key));
        _judge(s);

        vm.warp(_dispute(s).at + SPEAK);
        for (uint256 i; i < 5; ++i) {
            s.said[i] = Testimony(said[i].node, Verdict.None, 0, 0, 0, i == 4 ? copied : _commitment(s, said[i]));
        }
        for (uint256 i; i < 4; ++i) {
            market.testify(s.w.t.pack(), s.w.l.pack(), 0, _list(s), i, said[i]);
        }
        vm.expectRevert(abi.encodeWithSelector(CourtFacts.TestimonyInvalid.selector, s.key, copier.id));
        market.testify(s.w.t.pack(), s.w.l.pack(), 0, _list(s), 4, said[4]);
        vm.expectRevert(abi.encodeWithSelector(CourtFacts.TestimonyInvalid.selector, s.key, said[0].node));
        market.testify(s.w.t.pack(), s.w.l.pack(), 0, _list(s), 4, said[0]);
        vm.warp(_dispute(s).at + SPEAK + 1);
        _judge(s);
        assertEq(uint8(_dispute(s).verdict), uint8(Verdict.Valid), "four of five are enough");
        assertEq(STAKE - _stake(copier), FEE, "the copier's fee is gone");
        assertEq(_balance(copier.owner), 0);
        assertEq(_balance(_juror(s, 0).owner), FEE, "the author is paid");
    }

    function _commitment(Suit memory s, Testimony memory said) private view returns (bytes32) {
        return market.testimonyOf(s.key, s.round, said);
    }

    /// @dev Neither a juror's bond nor that of a node that challenges can leave before they are decided on; nor can the holder's.
    function test_StakeUnderADisputeCannotLeave() external {
        Work memory w = _revealed(_terms(1));
        Suit memory s = _suit(w, 0);
        vm.prank(bob.operator);
        market.challenge(w.t.pack(), w.l.pack(), w.r, _shard(w, 0), bob.id);
        _serve(s, _all(Verdict.Valid, 5));
        _cannotQueue(bob, STAKE - 10 * FEE);
        _cannotQueue(_juror(s, 0), STAKE - FEE);
        _cannotQueue(alice, STAKE - BOND);
    }

    function _cannotQueue(Actor memory n, uint256 free) private {
        vm.expectRevert(abi.encodeWithSelector(NodeFacts.StakeTooLow.selector, n.id, free, free + 1));
        vm.prank(n.owner);
        market.queueUnstake(n.id, free + 1);
    }

    /// @dev Fee, shares and windows are those of the post, whatever is decided while a jury sits.
    function test_VerdictKeepsTheNumbersOfThePost() external {
        Suit memory s = _challenged(_revealed(_terms(1)), 0);
        Params memory p = _params();
        (p.feeBps, p.burnBps, p.retryBps, p.revealWindow) = (1_000, 1_000, 1_000, 5);
        vm.prank(governor);
        market.addParams(p);
        uint256 supply = dpu.totalSupply();
        _decided(s, Verdict.Invalid);
        // 8 less the jury's 5 are 3: half burnt, 40 % to the challenger, who is repaid.
        assertEq(supply - dpu.totalSupply(), 1.5e18, "burnt");
        assertEq(_balance(challenger), 1_000e18 + 1.2e18, "reward");
        assertEq(_balance(treasury), 0.3e18, "treasury");
    }

    /// @dev Two disputes about one lease end in either order: the holder loses the same, and so do all parties together.
    function test_TheOrderOfVerdictsChangesNoSum() external {
        Work memory w = _revealed(_terms(2));
        Suit memory wrong = _challenged(w, 0);
        Suit memory right = _challenged(w, 1);
        _tried(wrong, _all(Verdict.Invalid, 5));
        _tried(right, _all(Verdict.Valid, 5));
        _pass(1 hours);
        uint256 start = vm.snapshotState();
        _enforce(wrong);
        _enforce(right);
        (uint256 lost, uint256 gained, uint256 burnt) = (STAKE - _stake(alice), _balance(challenger), _burnt());
        vm.revertToState(start);
        _enforce(right);
        _enforce(wrong);
        assertEq(STAKE - _stake(alice), lost, "holder");
        assertEq(_balance(challenger), gained, "challenger");
        assertEq(_burnt(), burnt, "burnt");
        assertEq(lost, 2 * BOND, "the bond of both shards");
    }

    /// @dev Who copies a challenge from the mempool and comes first takes its place, bond and reward. Who was outrun has lost nothing but gas, and what
    /// is wrong is judged all the same.
    function test_AChallengeThatIsOutrunCostsItsAuthorNothing() external {
        Work memory w = _revealed(_terms(1));
        uint256 before = _balance(challenger);
        vm.prank(second);
        market.challenge(w.t.pack(), w.l.pack(), w.r, _shard(w, 0), 0);
        Suit memory s = _suit(w, 0);
        vm.expectRevert(
            abi.encodeWithSelector(CourtFacts.DisputeInState.selector, s.key, DisputeState.Serving, DisputeState.None)
        );
        vm.prank(challenger);
        market.challenge(w.t.pack(), w.l.pack(), w.r, _shard(w, 0), 0);
        assertEq(_balance(challenger), before);
        _decided(s, Verdict.Invalid);
        assertEq(STAKE - _stake(alice), BOND);
    }
}
