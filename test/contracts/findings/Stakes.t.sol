// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {LedgerFacts} from "src-contracts/interfaces/ILedger.sol";
import {NodeFacts} from "src-contracts/interfaces/INodes.sol";
import {JobState} from "src-contracts/types/Job.sol";
import {Node} from "src-contracts/types/Node.sol";
import {MarketTest} from "test/contracts/lib/MarketTest.sol";
import {Terms} from "test/contracts/lib/Readable.sol";

/// @dev What went wrong in other systems with amounts, stakes and clocks; see `docs/findings.md`.
contract StakeFindingsTest is MarketTest {
    uint256 private constant PAST_96_BITS = 1 << 96;

    /// @dev Amounts come in as 256 bits and live in 96. None is cut on its way.
    function test_RevertWhen_AnAmountPassesItsCast() external {
        usd.mint(address(this), PAST_96_BITS);
        vm.expectRevert(abi.encodeWithSelector(LedgerFacts.AmountTooLarge.selector, PAST_96_BITS));
        market.deposit(address(usd), requester, PAST_96_BITS);
        market.deposit(address(usd), stranger, PAST_96_BITS - 1);
        assertEq(_balance(address(usd), stranger), PAST_96_BITS - 1);

        // Cut to 96 bits this would be one wei of stake.
        uint256 much = PAST_96_BITS + 1;
        uint256 has = dpu.balanceOf(alice.owner);
        bytes4 short = IERC20Errors.ERC20InsufficientBalance.selector;
        vm.expectRevert(abi.encodeWithSelector(short, alice.owner, has, much));
        vm.prank(alice.owner);
        market.stake(alice.id, much);

        vm.expectRevert(abi.encodeWithSelector(NodeFacts.StakeTooLow.selector, alice.id, STAKE, much));
        vm.prank(alice.owner);
        market.queueUnstake(alice.id, much);
    }

    /// @dev A slash takes what is locked and nothing of what waits to leave, so leaving never fails.
    function test_QueuedStakeLeavesWholeWhateverIsSlashedBesideIt() external {
        Work memory w = _committed(_terms());
        uint256 queued = STAKE - w.t.bond;
        vm.prank(alice.owner);
        market.queueUnstake(alice.id, queued);
        vm.warp(_now() + 10 minutes + 1);
        market.lapse(w.t.pack(), w.l.pack());
        Node memory n = market.node(alice.id);
        assertEq(n.stake, queued, "the whole bond is gone");
        assertEq(n.locked, 0);

        vm.warp(n.unstakeAt);
        uint256 before = dpu.balanceOf(alice.owner);
        vm.prank(alice.owner);
        market.unstake(alice.id, alice.owner);
        assertEq(dpu.balanceOf(alice.owner), before + queued);
        assertEq(market.node(alice.id).stake, 0);
    }

    /// @dev No deadline follows the number of blocks: a million of them in a second change nothing.
    function test_DeadlinesCountSecondsNotBlocks() external {
        Work memory w = _claimed(_terms());
        vm.roll(vm.getBlockNumber() + 1_000_000);
        bytes memory early = abi.encodeWithSelector(JobFacts.TooEarly.selector, w.id, 0, w.l.deadline + 1);
        vm.expectRevert(early);
        market.lapse(w.t.pack(), w.l.pack());
        vm.warp(w.l.deadline);
        _commit(w);
        vm.roll(vm.getBlockNumber() + 1_000_000);
        vm.warp(_now() + 10 minutes);
        _reveal(w);
        uint256 shown = _now();
        vm.roll(vm.getBlockNumber() + 1_000_000);
        vm.warp(shown + w.t.window);
        vm.expectRevert(abi.encodeWithSelector(JobFacts.TooEarly.selector, w.id, 0, uint40(shown + w.t.window + 1)));
        _settle(w);
        vm.warp(shown + w.t.window + 1);
        _settle(w);
    }

    /// @dev After the reveal nothing that a requester may call keeps a node from its pay, and anybody may have it paid.
    function test_ARequesterCannotStopAPayment() external {
        Work memory w = _revealed(_terms());
        bytes memory leased = abi.encodeWithSelector(JobFacts.JobInState.selector, w.id, JobState.Leased, JobState.Open);
        vm.startPrank(requester);
        market.withdraw(address(dpu), requester, _balance(address(dpu), requester));
        vm.expectRevert(leased);
        market.cancel(w.t.pack());
        vm.warp(uint256(w.t.expiry) + 1);
        vm.expectRevert(leased);
        market.cancel(w.t.pack());
        vm.expectRevert(leased);
        market.close(w.t.pack());
        vm.stopPrank();
        vm.prank(stranger);
        _settle(w);
        assertEq(_balance(address(dpu), alice.owner), 0.97e18, "the lowest price, less the fee");
    }

    /// @dev Who has a node's hot key may work for it, well or badly. Its stake, its earnings and its keys are out of reach.
    function test_AStolenOperatorKeyTakesNothing() external {
        _settled(_terms());
        bytes memory notOwner = abi.encodeWithSelector(NodeFacts.NotNodeOwner.selector, alice.id, alice.operator);
        vm.startPrank(alice.operator);
        vm.expectRevert(notOwner);
        market.queueUnstake(alice.id, 1);
        vm.expectRevert(notOwner);
        market.unstake(alice.id, alice.operator);
        vm.expectRevert(notOwner);
        market.setNode(alice.id, stranger, 2, 0, "");
        vm.expectRevert(abi.encodeWithSelector(LedgerFacts.BalanceTooLow.selector, address(dpu), alice.operator, 0, 1));
        market.withdraw(address(dpu), alice.operator, 1);
        market.delegateStake(alice.operator); // of its own, which is none
        vm.stopPrank();
        assertEq(dpu.getVotes(alice.operator), 0);
        assertEq(dpu.getVotes(alice.owner), STAKE);
        assertEq(_balance(address(dpu), alice.owner), 0.97e18);
    }

    /// @dev Being registered and staked for a year earns nothing, however many one is.
    function test_ANodeThatOnlyWaitsEarnsNothing() external {
        for (uint256 i; i < 100; ++i) {
            _register(vm.toString(i), 2);
        }
        uint256 supply = dpu.totalSupply();
        vm.warp(_now() + 365 days);
        Node memory n = market.node(alice.id);
        assertEq(n.stake, STAKE);
        assertEq(n.record, 5_000, "nor a record");
        assertEq(_balance(address(dpu), alice.owner), 0);
        assertEq(dpu.totalSupply(), supply, "nothing is minted");
    }
}
