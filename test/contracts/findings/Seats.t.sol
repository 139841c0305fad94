// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {NodeFacts} from "src-contracts/interfaces/INodes.sol";
import {Said} from "src-contracts/interfaces/IPanels.sol";
import {JobState} from "src-contracts/types/Job.sol";
import {Result} from "src-contracts/types/Lease.sol";
import {Params} from "src-contracts/types/Params.sol";
import {PanelTest} from "test/contracts/lib/PanelTest.sol";
import {Terms} from "test/contracts/lib/Readable.sol";

/// @dev What went wrong in other systems where several nodes answer; see `docs/findings.md`.
contract SeatFindingsTest is PanelTest {
    /// @dev Three seats on one range; each has what it has computed.
    function _three() private returns (Work[] memory seats) {
        seats = _seated(_panelTerms());
    }

    /// @dev Who copies another's commitment can never open it: it shows nothing, loses its bond, and the owner of the answer is paid.
    function test_ACopiedCommitmentOpensForNobodyElse() external {
        Work[] memory seats = _three();
        _commit(seats[0]);
        _commit(seats[1]);
        bytes32 copied = seats[0].l.commitment;
        vm.prank(carol.operator);
        market.commitSeat(seats[2].id, seats[2].l.pack(), copied);
        seats[2].l.commitment = copied;
        uint256 closes = _now() + 10 minutes;

        // Not with the salt of the one who made it, nor with her own.
        _cannotReveal(seats, 2, abi.encodeWithSelector(JobFacts.LeaseMismatch.selector, seats[2].id, 0));
        seats[2].salt = seats[0].salt;
        _cannotReveal(seats, 2, abi.encodeWithSelector(JobFacts.LeaseMismatch.selector, seats[2].id, 0));
        _refuses(seats, 0, abi.encodeWithSelector(JobFacts.LeaseMismatch.selector, seats[2].id, 0));

        _revealSeat(seats, 0);
        _revealSeat(seats, 1);
        vm.warp(closes + 1);
        _agree(seats, 4);
        _assertFree(carol, STAKE - seats[2].t.bond);
        _assertFree(alice, STAKE);
        assertEq(_balance(address(dpu), carol.owner), 0);
        assertEq(_balance(address(dpu), alice.owner), 1.94e18);
    }

    /// @dev In whatever order the same three commit, each is paid and slashed the same.
    function test_TheOrderOfSeatsChangesNoPayout() external {
        Work[] memory seats = _three();
        seats[1].r = _result("wrong");
        uint8[3][6] memory orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        uint256 start = vm.snapshotState();
        for (uint256 i; i < 6; ++i) {
            Work[] memory inOrder = new Work[](3);
            for (uint256 k; k < 3; ++k) {
                inOrder[k] = seats[orders[i][k]];
            }
            _commitAll(inOrder);
            _agree(inOrder);
            assertEq(_balance(address(dpu), alice.owner), 1.94e18, "alice");
            assertEq(_balance(address(dpu), carol.owner), 1.94e18, "carol");
            _assertFree(bob, STAKE - 8e18);
            assertEq(_balance(address(dpu), bob.owner), 0, "bob");
            _assertSolvent(0);
            vm.revertToState(start);
        }
    }

    /// @dev Who has seen how the others vote loses as much by silence as by a lie; only who never answered loses less.
    function test_SilenceCostsWhatALieCosts() external {
        Work[] memory seats = _three();
        uint256 start = vm.snapshotState();
        seats[2].r = _result("wrong");
        _commitAll(seats);
        _agree(seats);
        uint256 lied = STAKE - _stakeOf(carol);
        vm.revertToState(start);

        seats[2].r = seats[0].r;
        _commitAll(seats);
        uint256 closes = _now() + 10 minutes;
        _revealSeat(seats, 0);
        _revealSeat(seats, 1);
        vm.warp(closes + 1);
        _agree(seats, 4);
        assertEq(STAKE - _stakeOf(carol), lied, "silence");
        assertEq(lied, 8e18);
        vm.revertToState(start);

        vm.warp(uint256(seats[2].l.deadline) + 1);
        market.lapse(seats[2].t.pack(), seats[2].l.pack());
        assertEq(STAKE - _stakeOf(carol), 1.6e18, "never bound");
    }

    /// @dev What a seat is bound by cannot be queued, let alone leave, before the panel has ended; what is queued cannot be bound.
    function test_StakeUnderASeatCannotLeave() external {
        Work[] memory seats = _three();
        _commitAll(seats);
        uint256 free = STAKE - 8e18;
        vm.expectRevert(abi.encodeWithSelector(NodeFacts.StakeTooLow.selector, alice.id, free, free + 1));
        vm.prank(alice.owner);
        market.queueUnstake(alice.id, free + 1);
        vm.prank(alice.owner);
        market.queueUnstake(alice.id, free);
        vm.warp(_now() + 30 days);
        vm.prank(alice.owner);
        market.unstake(alice.id, alice.owner);
        _agree(seats, 7); // a month late: all three are silent
        assertEq(_stakeOf(alice), 0, "and the bond was there to be taken");
    }

    /// @dev Fee, shares of a slash and windows are those of the post, whatever is decided while a panel sits.
    function test_AgreeKeepsTheNumbersOfThePost() external {
        Work[] memory seats = _three();
        seats[1].r = _result("wrong");
        Params memory p = _params();
        (p.feeBps, p.burnBps, p.retryBps, p.revealWindow) = (1_000, 1_000, 1_000, 5);
        vm.prank(governor);
        market.addParams(p);
        _commitAll(seats);
        vm.warp(_now() + 10 minutes);
        uint256 supply = dpu.totalSupply();
        _agree(seats);
        assertEq(_balance(address(dpu), alice.owner), 1.94e18, "3 %");
        assertEq(supply - dpu.totalSupply(), 4e18, "half is burnt");
    }

    /// @dev A range that was paid is gone: nothing that ended it, or might have, works again.
    function test_NothingMovesAPanelThatHasEnded() external {
        Work[] memory seats = _three();
        _commitAll(seats);
        Said[] memory said = _said(seats, 0);
        _agree(seats);
        assertEq(uint8(_state(seats[0].id)), uint8(JobState.Complete));
        bytes memory gone = abi.encodeWithSelector(JobFacts.LeaseInPhase.selector);
        vm.expectPartialRevert(bytes4(gone));
        market.agree(seats[0].t.pack(), 0, said);
        vm.expectPartialRevert(bytes4(gone));
        market.lapse(seats[0].t.pack(), seats[0].l.pack());
        vm.expectPartialRevert(bytes4(gone));
        vm.prank(alice.operator);
        market.commitSeat(seats[0].id, seats[0].l.pack(), bytes32(uint256(1)));
        vm.expectPartialRevert(JobFacts.JobInState.selector);
        vm.prank(dave.operator);
        market.sit(seats[0].t.pack(), 0, 1, dave.id, 0);
    }

    /* CAPTURE */

    /// @dev Of twelve nodes with the same stake four are one party's. The three with the lowest rolls sit: how often two of those are the party's
    /// is the hypergeometric share, (C(4,2) · 8 + C(4,3)) / C(12,3) = 52 / 220.
    function test_Capture_OfAPanelIsHypergeometric() external pure {
        uint256 draws = 4_000;
        uint256 captured;
        for (uint256 i; i < draws; ++i) {
            bytes32 id = keccak256(abi.encode("job", i));
            if (_partyAmongLowest(id) >= 2) ++captured;
        }
        // 945 expected; five standard deviations of a binomial are 134.
        assertApproxEqAbs(captured, draws * 52 / 220, 134);
    }

    /// @dev Rolls as `drawn` defines them: the low 64 bits of keccak256(seed, job, first, node).
    function _partyAmongLowest(bytes32 id) private pure returns (uint256 count) {
        uint256[12] memory rolls;
        for (uint32 node = 1; node <= 12; ++node) {
            rolls[node - 1] = uint64(uint256(keccak256(abi.encode(bytes32(uint256(1)), id, uint32(0), node))));
        }
        for (uint256 i; i < 4; ++i) {
            uint256 below;
            for (uint256 k; k < 12; ++k) {
                if (rolls[k] < rolls[i]) ++below;
            }
            if (below < 3) ++count;
        }
    }
}
