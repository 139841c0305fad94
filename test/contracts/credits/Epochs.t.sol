// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {CreditFacts} from "src-contracts/interfaces/IComputeCredits.sol";
import {RulesLib} from "src-contracts/types/Rules.sol";
import {CreditsTest} from "test/contracts/credits/CreditsTest.sol";
import {HonestReceipts} from "test/contracts/credits/HonestReceipts.sol";
import {Terms} from "test/contracts/lib/Readable.sol";

contract CreditsEpochsTest is CreditsTest {
    constructor() CreditsTest(new HonestReceipts(makeAddr("treasury"))) {}

    /// @dev One lease whose fee, `fee` credits, is counted at pressure `u`.
    function _press(uint256 fee, uint256 u) private {
        Terms memory t = _terms();
        (t.minPrice, t.maxPrice, t.rules) = (0, uint96(fee * 10 * ONE / u), RulesLib.pack(_params(1_000), 1));
        Batch memory b = _one(t, uint96(fee * 10), 1, 0);
        _settle(b, alice);
        _mint(b);
    }

    function _update() private {
        uint8[] memory runtimes = new uint8[](1);
        runtimes[0] = WASM;
        credits.updateWeights(runtimes);
    }

    /* ROLLING */

    function test_Roll_BeginsTheNextEpochInItsFirstSecond() external {
        vm.warp(T0 + DAY - 1);
        vm.expectRevert(abi.encodeWithSelector(CreditFacts.EpochRunning.selector, T0 + DAY));
        credits.roll();

        vm.warp(T0 + DAY);
        vm.expectEmit(address(credits));
        emit CreditFacts.EpochRolled(1, uint40(T0 + DAY));
        vm.prank(stranger);
        credits.roll();
        (uint32 number, uint256 startedAt, uint256 endsAt, uint256 minted, uint256 cap) = credits.epoch();
        assertEq(number, 1);
        assertEq(startedAt, T0 + DAY);
        assertEq(endsAt, T0 + 2 * DAY);
        assertEq(minted, 0);
        assertEq(cap, 10_000e18);
    }

    function test_Roll_GoesOverManyEpochsAtOnce() external {
        vm.warp(T0 + 1_000 * DAY + 5);
        vm.expectEmit(address(credits));
        emit CreditFacts.EpochRolled(1_000, uint40(T0 + 1_000 * DAY));
        credits.roll();
        vm.expectRevert(abi.encodeWithSelector(CreditFacts.EpochRunning.selector, T0 + 1_001 * DAY));
        credits.roll();
    }

    function test_Epoch_IsTheOneThatTheTimeBelongsToBeforeItIsRolled() external {
        _earn(1.25e18, 1, UNITS);
        vm.warp(T0 + 3 * DAY - 1);
        assertEq(_number(), 2);
        assertEq(_minted(), 0);
        vm.warp(T0 + 3 * DAY);
        assertEq(_number(), 3);
    }

    function test_Mint_RollsByItself() external {
        Batch memory b = _one(_terms(), 1.25e18, 1, UNITS);
        _settle(b, alice);
        _pass(2);
        vm.expectEmit(address(credits));
        emit CreditFacts.EpochRolled(2, uint40(T0 + 2 * DAY));
        _mint(b);
    }

    /* WEIGHTS */

    function test_Weight_BeginsAtOne() external view {
        assertEq(credits.weightOf(WASM), ONE);
        assertEq(credits.weightOf(31), ONE);
    }

    /// @dev Fees of 10,000 credits against a cap of as many: half of the way from the target.
    function test_Weight_FollowsThePressure() external {
        _press(10_000e18, 0.5e9); // mean 0.375, half a target above: up by a sixteenth
        assertEq(credits.weightOf(WASM), ONE, "not in this epoch");
        _pass(1);
        assertEq(credits.weightOf(WASM), 1.0625e9);

        vm.expectEmit(address(credits));
        emit CreditFacts.WeightMoved(WASM, 1, 1.0625e9, 10_000_000_000, 10_000_000_000 * 0.5e9);
        _update();
        assertEq(credits.weightOf(WASM), 1.0625e9);
        (, uint256 fees, uint256 pressures) = credits.runtimeOf(WASM);
        assertEq(fees + pressures, 0, "the next epoch begins at nothing");
    }

    function test_Weight_MovesByAnEighthAtMost() external {
        _press(90_000e18, ONE);
        _pass(1);
        assertEq(credits.weightOf(WASM), 1.125e9);
    }

    function test_Weight_StaysWithinItsBounds() external {
        for (uint256 i; i < 20; ++i) {
            _press(90_000e18, ONE);
            _pass(1);
        }
        assertEq(credits.weightOf(WASM), 4e9);
        for (uint256 i; i < 40; ++i) {
            _press(90_000e18, 0.001e9);
            _pass(1);
        }
        assertLt(credits.weightOf(WASM), ONE);
        assertGe(credits.weightOf(WASM), 0.5e9);
    }

    function test_Weight_ComesBackAnEighthOfTheWayInEachEpoch() external {
        _press(90_000e18, ONE);
        _pass(1);
        _update(); // 1.125
        _pass(1);
        assertEq(credits.weightOf(WASM), 1.109375e9);
        _pass(1);
        assertEq(credits.weightOf(WASM), 1.095703125e9);
        _pass(60);
        _update();
        assertEq(credits.weightOf(WASM), 1.000031725e9);
        _pass(1_000);
        assertEq(credits.weightOf(WASM), ONE);
    }

    function test_Weight_DoesNotDependOnWhoUpdates() external {
        _press(500e18, 0.9e9);
        uint256 snapshot = vm.snapshotState();
        for (uint256 i; i < 5; ++i) {
            _pass(1);
            _update();
        }
        uint256 often = credits.weightOf(WASM);
        vm.revertToState(snapshot);
        _pass(5);
        assertApproxEqAbs(credits.weightOf(WASM), often, 5, "but for a rounding in each epoch");
    }

    function test_Weight_OfOneRuntimeLeavesTheOthersAlone() external {
        vm.prank(governor);
        credits.setPerUnit(2, 1e13);
        _press(500e18, ONE);
        _pass(1);
        assertEq(credits.weightOf(2), ONE);
        assertGt(credits.weightOf(WASM), ONE);
    }

    function test_Mint_UsesTheWeightOfTheEpochsBegin() external {
        _press(90_000e18, ONE);
        _pass(1);
        assertEq(_earn(1.25e18, 1, UNITS), 0.01125e18);
    }

    function test_Count_LeavesOutWhatTheSumsCannotHold() external {
        vm.prank(governor);
        credits.setRate(address(0xC1), 1e30);
        Terms memory t = _terms();
        (t.currency, t.minPrice, t.maxPrice) = (address(0xC1), 0, type(uint96).max);
        Batch memory b = _one(t, type(uint96).max, 64, UNITS);
        _settle(b, alice);
        _mint(b);
        (, uint256 fees, uint256 pressures) = credits.runtimeOf(WASM);
        assertEq(fees + pressures, 0);
    }

    function test_Count_HoldsTheMost() external {
        Terms memory t = _terms();
        (t.minPrice, t.maxPrice, t.rules) = (0, type(uint96).max, RulesLib.pack(_params(1_000), 1));
        Batch memory b = _one(t, uint96(uint256(type(uint48).max) * 1e13), 1, 0); // a tenth of it is the fee
        _settle(b, alice);
        _mint(b);
        (, uint256 fees,) = credits.runtimeOf(WASM);
        assertEq(fees, type(uint48).max);
    }
}
