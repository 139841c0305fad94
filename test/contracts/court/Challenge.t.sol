// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {CourtFacts, ICourt} from "src-contracts/interfaces/ICourt.sol";
import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {LedgerFacts} from "src-contracts/interfaces/ILedger.sol";
import {NodeFacts} from "src-contracts/interfaces/INodes.sol";
import {Dispute, DisputeState, Shard, ShardLib, Verdict} from "src-contracts/types/Dispute.sol";
import {LeaseWord, Phase, Result} from "src-contracts/types/Lease.sol";
import {CourtTest} from "test/contracts/court/CourtTest.sol";
import {Lease, Packing, Terms} from "test/contracts/lib/Readable.sol";

contract ChallengeTest is CourtTest {
    function _refuses(Work memory w, Shard memory shard, bytes memory error) private {
        vm.prank(challenger);
        vm.expectRevert(error);
        market.challenge(w.t.pack(), w.l.pack(), w.r, shard, 0);
    }

    function test_Challenge_TakesTheBondAndMarksTheLease() external {
        Work memory w = _revealed(_terms(1));
        Suit memory s = _suit(w, 0);
        (, uint40 at) = market.lease(w.id, 0);

        vm.expectEmit(address(market));
        emit CourtFacts.Challenged(s.key, w.id, alice.id, w.l.word(), 0, 0, w.hashes[0], w.units[0], challenger, 0);
        _challenged(w, 0);

        Dispute memory d = _dispute(s);
        assertEq(uint8(d.state), uint8(DisputeState.Serving));
        assertEq(d.round, 1);
        assertEq(d.at, vm.getBlockTimestamp());
        assertEq(d.atBlock, vm.getBlockNumber());
        assertEq(d.challenger, challenger);
        assertEq(d.marks, 0);
        (Phase phase, uint40 still) = market.lease(w.id, 0);
        assertEq(uint8(phase), uint8(Phase.Disputed));
        assertEq(still, at, "its window goes on from the reveal");
        assertEq(_balance(challenger), 990e18);
        _assertSolvent(PRICE + 10 * FEE);
    }

    function test_Challenge_LocksTheStakeOfANode() external {
        Work memory w = _revealed(_terms(1));
        vm.prank(bob.operator);
        market.challenge(w.t.pack(), w.l.pack(), w.r, _shard(w, 0), bob.id);

        assertEq(_locked(bob), 10 * FEE);
        assertEq(_stake(bob), STAKE);
        assertEq(_dispute(_suit(w, 0)).challenger, address(uint160(bob.id)));
    }

    function test_RevertWhen_AnotherNodesStakeIsPledged() external {
        Work memory w = _revealed(_terms(1));
        vm.prank(challenger);
        vm.expectRevert(abi.encodeWithSelector(NodeFacts.NotNodeOperator.selector, bob.id, challenger));
        market.challenge(w.t.pack(), w.l.pack(), w.r, _shard(w, 0), bob.id);
    }

    function test_RevertWhen_TheBalanceIsTooSmall() external {
        Work memory w = _revealed(_terms(1));
        vm.prank(challenger);
        market.withdraw(address(dpu), challenger, 991e18);
        _refuses(
            w,
            _shard(w, 0),
            abi.encodeWithSelector(LedgerFacts.BalanceTooLow.selector, address(dpu), challenger, 9e18, 10e18)
        );
    }

    function test_RevertWhen_ANodeWithoutStakePledgesIt() external {
        Work memory w = _revealed(_terms(1));
        vm.startPrank(stranger);
        uint32 id = market.register(stranger, 2, 0, "http://127.0.0.1/");
        vm.expectRevert(abi.encodeWithSelector(NodeFacts.StakeTooLow.selector, id, 0, 10e18));
        market.challenge(w.t.pack(), w.l.pack(), w.r, _shard(w, 0), id);
    }

    function test_Challenge_UntilTheLastSecondOfTheWindow() external {
        Work memory w = _revealed(_terms(1));
        (, uint40 at) = market.lease(w.id, 0);
        vm.warp(at + 30 minutes + 1);
        _refuses(w, _shard(w, 0), abi.encodeWithSelector(JobFacts.DeadlinePassed.selector, w.id, 0, at + 30 minutes));
        vm.warp(at + 30 minutes);
        _challenged(w, 0);
    }

    function test_RevertWhen_TheJobHasNoWindow() external {
        Terms memory t = _terms(1);
        t.window = 0;
        Work memory w = _revealed(t);
        _refuses(w, _shard(w, 0), abi.encodeWithSelector(JobFacts.DeadlinePassed.selector, w.id, 0, 0));
    }

    function test_RevertWhen_TheBondPaysNoJuror() external {
        Terms memory t = _terms(1);
        (t.currency, t.minPrice, t.maxPrice, t.bond) = (address(usd), 1e6, 1e6, 7);
        Work memory w = _revealed(t);
        _refuses(w, _shard(w, 0), abi.encodeWithSelector(CourtFacts.BondTooSmall.selector, w.id, 7));
    }

    function test_Challenge_AtTheLeastBondThatPays() external {
        Terms memory t = _terms(1);
        (t.currency, t.minPrice, t.maxPrice, t.bond) = (address(usd), 1e6, 1e6, 8);
        _challenged(_revealed(t), 0);
        assertEq(_balance(challenger), 1_000e18 - 10);
    }

    function test_RevertWhen_NothingIsRevealed() external {
        Terms memory t = _terms(1);
        Work memory w = _posted(t);
        vm.prank(alice.operator);
        market.claim(t.pack(), alice.id, 1);
        _read(w);
        _refuses(
            w,
            _shard(w, 0),
            abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, w.id, 0, Phase.Claimed, Phase.Revealed)
        );
    }

    function test_RevertWhen_TheResultIsAnother() external {
        Work memory w = _revealed(_terms(2));
        w.r.manifest = keccak256("another");
        _refuses(w, _shard(w, 0), abi.encodeWithSelector(JobFacts.LeaseMismatch.selector, w.id, 0));
    }

    function test_RevertWhen_TheResultIsAnotherOfADisputedLease() external {
        Work memory w = _revealed(_terms(2));
        _challenged(w, 0);
        w.r.manifest = keccak256("another");
        _refuses(w, _shard(w, 1), abi.encodeWithSelector(JobFacts.LeaseMismatch.selector, w.id, 0));
    }

    function test_RevertWhen_TheShardIsNotUnderTheRoot() external {
        Work memory w = _revealed(_terms(4));
        bytes memory error = abi.encodeWithSelector(CourtFacts.ShardUnknown.selector, w.id, 0, 2);
        for (uint256 i; i < 3; ++i) {
            Shard memory shard = _shard(w, 2);
            if (i == 0) shard.hash = keccak256("other");
            if (i == 1) ++shard.units;
            if (i == 2) shard.proof[0] = 0;
            _refuses(w, shard, error);
        }
        _challenged(w, 2);
    }

    function test_RevertWhen_TheShardIsOutsideTheLease() external {
        Work memory w = _revealed(_terms(2));
        // Its tree holds a leaf that is none of the lease's.
        Work memory wide = _posted(_terms(4));
        (w.hashes, w.units) = (wide.hashes, wide.units);
        Shard memory shard = _shard(wide, 2);
        _refuses(w, shard, abi.encodeWithSelector(CourtFacts.ShardUnknown.selector, w.id, 0, 2));
    }

    function test_Challenge_OfALeaseThatIsNotTheFirst() external {
        Terms memory t = _terms(4);
        t.maxLease = 2;
        Work memory w = _posted(t);
        vm.startPrank(alice.operator);
        market.claim(t.pack(), alice.id, 2);
        market.claim(t.pack(), alice.id, 2);
        w.l = Packing.readable(LeaseWord.wrap(market.leaseWord(w.id, 2)), 2);
        bytes32[] memory proof = new bytes32[](1);
        bytes32 leaf = ShardLib.leaf(3, w.hashes[3], w.units[3]);
        proof[0] = ShardLib.leaf(2, w.hashes[2], w.units[2]);
        (bytes32 a, bytes32 b) = leaf < proof[0] ? (leaf, proof[0]) : (proof[0], leaf);
        w.r = Result(keccak256(abi.encode(a, b)), w.units[2] + w.units[3], keccak256("manifest"));
        w.l.commitment = market.commitmentOf(w.id, 2, 0, alice.id, w.r, keccak256("salt"));
        w.l.committedBlock = 0;
        market.commit(w.id, w.l.pack(), w.l.commitment);
        vm.stopPrank();
        w.l.committedBlock = uint40(vm.getBlockNumber());
        _pass(1);
        market.reveal(t.pack(), w.l.pack(), w.r, keccak256("salt"));

        vm.prank(challenger);
        market.challenge(t.pack(), w.l.pack(), w.r, Shard(3, w.hashes[3], w.units[3], proof), 0);
        assertEq(uint8(_dispute(_suit(w, 3)).state), uint8(DisputeState.Serving));
    }

    function test_RevertWhen_ALeafOutsideTheRangeIsUnderTheRoot() external {
        Work memory w = _posted(_terms(1));
        Work memory wide = _posted(_terms(2));
        (w.hashes, w.units) = (wide.hashes, wide.units);
        vm.prank(alice.operator);
        market.claim(w.t.pack(), alice.id, 1);
        (w.r.root,) = _tree(w, 0); // two leaves for one shard
        _read(w);
        _show(w);
        _refuses(w, _shard(w, 1), abi.encodeWithSelector(CourtFacts.ShardUnknown.selector, w.id, 0, 1));
        _challenged(w, 0);
    }

    function test_RevertWhen_TheShardIsDisputedAlready() external {
        Work memory w = _revealed(_terms(2));
        Suit memory s = _challenged(w, 1);
        _refuses(
            w,
            _shard(w, 1),
            abi.encodeWithSelector(CourtFacts.DisputeInState.selector, s.key, DisputeState.Serving, DisputeState.None)
        );
        _challenged(w, 0);
    }

    function test_RevertWhen_TheShardWasJudgedBefore() external {
        Terms memory t = _terms(1);
        t.window = 1 hours;
        Work memory w = _revealed(t);
        Suit memory s = _challenged(w, 0);
        _decided(s, Verdict.Valid);
        _refuses(
            w,
            _shard(w, 0),
            abi.encodeWithSelector(CourtFacts.DisputeInState.selector, s.key, DisputeState.Ended, DisputeState.None)
        );
    }

    function test_Challenge_OfASpecFaultNamesAnIndexAlone() external {
        Work memory w = _revealed(_terms(2), true);
        Shard memory shard = _shard(w, 1);
        shard.units = 1;
        _refuses(w, shard, abi.encodeWithSelector(CourtFacts.ShardUnknown.selector, w.id, 0, 1));
        (shard.units, shard.hash) = (0, keccak256("hash"));
        _refuses(w, shard, abi.encodeWithSelector(CourtFacts.ShardUnknown.selector, w.id, 0, 1));
        (shard.hash, shard.proof) = (0, new bytes32[](1));
        _refuses(w, shard, abi.encodeWithSelector(CourtFacts.ShardUnknown.selector, w.id, 0, 1));
        (shard.proof, shard.index) = (new bytes32[](0), 2);
        _refuses(w, shard, abi.encodeWithSelector(CourtFacts.ShardUnknown.selector, w.id, 0, 2));
        Suit memory s = _challenged(w, 1);
        assertEq(_dispute(s).marks, 2, "it claims a fault");
    }

    function test_Challenge_WhilePaused() external {
        Work memory w = _revealed(_terms(1));
        vm.prank(governor);
        market.pause(1 days);
        Suit memory s = _challenged(w, 0);
        _decided(s, Verdict.Valid);
    }

    function test_RevertWhen_ADisputedLeaseIsPaidOrLapsed() external {
        Work memory w = _revealed(_terms(1));
        _challenged(w, 0);
        vm.warp(vm.getBlockTimestamp() + 1 hours);
        bytes memory error =
            abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, w.id, 0, Phase.Disputed, Phase.Revealed);
        Lease[] memory leases = new Lease[](1);
        leases[0] = w.l;
        vm.expectRevert(error);
        this.settle(w);
        vm.expectRevert(abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, w.id, 0, Phase.Disputed, Phase.Claimed));
        market.lapse(w.t.pack(), w.l.pack());
        vm.expectRevert(abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, w.id, 0, Phase.Disputed, Phase.Claimed));
        market.accept(w.t.pack(), w.l.pack(), w.r, "");
    }

    function settle(Work memory w) external {
        _settle(w);
    }

    function test_DisputeCost_IsTenElevenAndOneFee() external {
        (uint256 challenging, uint256 juror, uint256 appealing) = market.disputeCost(_terms(1).pack());
        assertEq(challenging, 10e18);
        assertEq(juror, 1e18);
        assertEq(appealing, 11e18);
    }
}
