// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {NodeFacts} from "src-contracts/interfaces/INodes.sol";
import {JobState} from "src-contracts/types/Job.sol";
import {Phase} from "src-contracts/types/Lease.sol";
import {MarketTest} from "test/contracts/lib/MarketTest.sol";
import {Lease, Terms} from "test/contracts/lib/Readable.sol";

contract CommitTest is MarketTest {
    bytes32 private constant COMMITMENT = keccak256("commitment");

    function _refuses(Work memory w, bytes memory error) private {
        vm.expectRevert(error);
        vm.prank(w.n.operator);
        market.commit(w.id, w.l.pack(), COMMITMENT);
    }

    function _mismatch(Work memory w) private pure returns (bytes memory) {
        return abi.encodeWithSelector(JobFacts.LeaseMismatch.selector, w.id, w.l.first);
    }

    function test_Commit_BindsTheHolder() external {
        Work memory w = _claimed(_terms());
        vm.expectEmit(address(market));
        emit JobFacts.LeaseCommitted(w.id, alice.id, 0, _commitmentOf(w));
        _commit(w);

        (Phase phase, uint40 at) = market.lease(w.id, 0);
        assertEq(uint8(phase), uint8(Phase.Committed));
        assertEq(at, _now());
        assertEq(uint8(_state(w.id)), uint8(JobState.Leased), "still solo");
        assertEq(market.leaseWord(w.id, 0) >> 248, 0x82);
    }

    function test_Commit_WordIsTheHashOfClaimCommitmentAndBlock() external {
        Terms memory t = _many(4, 2);
        Work memory w = _claimed(t);
        uint256 claimed = market.leaseWord(w.id, 0);
        _commit(w);
        bytes32 hash = keccak256(abi.encode(claimed, w.l.commitment, vm.getBlockNumber()));
        assertEq(market.leaseWord(w.id, 0), (uint256(2) << 248) | (_now() << 208) | (uint256(hash) >> 48));
    }

    function test_Commit_InTheLastSecond() external {
        Work memory w = _claimed(_terms());
        vm.warp(w.l.deadline);
        _commit(w);
    }

    function test_RevertWhen_Commit_ASecondLate() external {
        Work memory w = _claimed(_terms());
        vm.warp(uint256(w.l.deadline) + 1);
        _refuses(w, abi.encodeWithSelector(JobFacts.DeadlinePassed.selector, w.id, 0, w.l.deadline));
    }

    function test_Commit_WorksWhilePausedAndAfterExpiry() external {
        Work memory w = _claimed(_terms());
        _pause();
        _commit(w);
        Terms memory t;
        vm.warp(_now() + 1 days + 1);
        t = _terms();
        t.expiry = uint40(_now());
        w = _claimed(t);
        vm.warp(_now() + 1);
        _commit(w);
    }

    function test_RevertWhen_Commit_NotByTheOperator() external {
        Work memory w = _claimed(_terms());
        address[3] memory callers = [alice.owner, bob.operator, stranger];
        for (uint256 i; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(NodeFacts.NotNodeOperator.selector, alice.id, callers[i]));
            vm.prank(callers[i]);
            market.commit(w.id, w.l.pack(), COMMITMENT);
        }
    }

    function test_Commit_ByTheNewOperatorAfterTheKeyMoved() external {
        Work memory w = _claimed(_terms());
        vm.prank(alice.owner);
        market.setNode(alice.id, stranger, 2, 0, "");
        _refuses(w, abi.encodeWithSelector(NodeFacts.NotNodeOperator.selector, alice.id, alice.operator));
        w.n.operator = stranger;
        _commit(w);
    }

    function test_RevertWhen_Commit_Zero() external {
        Work memory w = _claimed(_terms());
        vm.expectRevert(abi.encodeWithSelector(JobFacts.CommitmentZero.selector, w.id, 0));
        vm.prank(alice.operator);
        market.commit(w.id, w.l.pack(), 0);
    }

    function test_RevertWhen_Commit_ToADirectJob() external {
        Work memory w = _claimed(_direct());
        _refuses(w, abi.encodeWithSelector(JobFacts.DirectMismatch.selector, w.id, true));
    }

    function test_RevertWhen_Commit_Twice() external {
        Work memory w = _committed(_terms());
        _refuses(w, abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, w.id, 0, Phase.Committed, Phase.Claimed));
    }

    function test_RevertWhen_Commit_NothingIsClaimed() external {
        Work memory w = _claimed(_many(4, 2));
        w.l.first = 2;
        _refuses(w, abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, w.id, 2, Phase.None, Phase.Claimed));
        w.id = keccak256("no job");
        w.l.first = 0;
        _refuses(w, abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, w.id, 0, Phase.None, Phase.Claimed));
    }

    /// @dev Each field of the lease is bound by the word, solo and shared.
    function test_RevertWhen_Commit_LeaseIsNotTheOneClaimed() external {
        Work[2] memory works = [_claimed(_terms()), _claimed(_many(4, 2))];
        for (uint256 i; i < 2; ++i) {
            Work memory w = works[i];
            Lease memory l = w.l;
            bytes memory saved = abi.encode(l);
            l.count += 1;
            _refuses(w, _mismatch(w));
            w.l = l = abi.decode(saved, (Lease));
            l.node = bob.id;
            _refuses(w, _mismatch(w));
            w.l = l = abi.decode(saved, (Lease));
            l.price += 1;
            _refuses(w, _mismatch(w));
            w.l = l = abi.decode(saved, (Lease));
            l.bonus = 1;
            _refuses(w, _mismatch(w));
            w.l = l = abi.decode(saved, (Lease));
            l.deadline += 1;
            _refuses(w, _mismatch(w));
        }
    }

    /// @dev A solo word reached through a wrong `first`, and a lease key passed for a job id, find nothing.
    function test_RevertWhen_Commit_KeyIsForged() external {
        Work memory w = _claimed(_terms());
        w.l.first = 1;
        _refuses(w, abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, w.id, 1, Phase.None, Phase.Claimed));

        w = _claimed(_many(4, 2));
        w.id = keccak256(abi.encode(w.id, uint256(0)));
        _refuses(w, abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, w.id, 0, Phase.None, Phase.Claimed));
    }
}
