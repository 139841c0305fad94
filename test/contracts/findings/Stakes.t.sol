// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {LedgerFacts} from "src-contracts/interfaces/ILedger.sol";
import {NodeFacts} from "src-contracts/interfaces/INodes.sol";
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
