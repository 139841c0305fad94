// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Test} from "forge-std/Test.sol";
import {Earned} from "src-contracts/interfaces/IReceipts.sol";
import {RulesHarness} from "test/contracts/credits/RulesHarness.sol";

/// @dev The arithmetic alone: against the sdk's answers, and against its promises on every input inside the bounds.
contract CreditsRulesTest is Test {
    uint256 private constant ONE = 1e9;

    /// @dev What `next` takes, bounded as the contract bounds it.
    struct Inputs {
        uint256 weight;
        uint256 fees;
        uint256 pressures;
        uint256 cap;
        uint256 target;
        uint256 least;
        uint256 most;
    }

    string private json;
    RulesHarness private rules;

    function setUp() external {
        rules = RulesHarness(vm.deployCode("RulesHarness.sol:RulesHarness"));
    }

    function _clamp(uint256 value, uint256 least, uint256 most) private pure returns (uint256) {
        return Math.min(Math.max(value, least), most);
    }

    function _bounded(Inputs memory i) private pure {
        i.weight = bound(i.weight, ONE / 2, 4 * ONE);
        i.fees = bound(i.fees, 0, type(uint48).max);
        i.pressures = bound(i.pressures, 0, i.fees * ONE);
        i.cap = bound(i.cap, 1e6, 1e12);
        i.target = bound(i.target, ONE / 4, ONE / 2);
        i.least = bound(i.least, ONE / 2, ONE);
        i.most = bound(i.most, ONE, 4 * ONE);
        i.weight = _clamp(i.weight, i.least, i.most);
    }

    function _next(Inputs memory i) private view returns (uint256) {
        return rules.next(i.weight, i.fees, i.pressures, i.cap, i.target, i.least, i.most);
    }

    /* THE SDK'S VECTORS */

    function _column(string memory name) private view returns (uint256[] memory) {
        return vm.parseJsonUintArray(json, string.concat(".", name));
    }

    function test_Rules_AgreeWithTheSdksVectors() external {
        json = vm.readFile("test/vectors/credits.json");
        uint256 cases = _column("price").length;
        assertEq(cases, 64);
        _checkEarnings();
        _checkPressures();
        _checkWeights();
    }

    function _checkEarnings() private view {
        uint256[] memory price = _column("price");
        uint256[] memory count = _column("count");
        uint256[] memory feeBps = _column("feeBps");
        uint256[] memory rate = _column("rate");
        uint256[] memory fee = _column("feeValue");
        for (uint256 i; i < price.length; ++i) {
            Earned memory e = Earned(address(1), 1, 1, uint96(price[i]), uint16(count[i]));
            assertEq(rules.feeValue(e, feeBps[i], rate[i]), fee[i]);
        }
        uint256[] memory units = _column("units");
        uint256[] memory perUnit = _column("perUnit");
        uint256[] memory weight = _column("weight");
        uint256[] memory worth = _column("unitValue");
        for (uint256 i; i < price.length; ++i) {
            assertEq(rules.unitValue(units[i], perUnit[i], weight[i]), worth[i]);
        }
    }

    function _checkPressures() private view {
        uint256[] memory price = _column("price");
        uint256[] memory least = _column("minPrice");
        uint256[] memory most = _column("maxPrice");
        uint256[] memory target = _column("target");
        uint256[] memory pressure = _column("pressure");
        for (uint256 i; i < price.length; ++i) {
            assertEq(rules.pressure(price[i], least[i], most[i], target[i]), pressure[i]);
        }
    }

    function _checkWeights() private view {
        uint256[][7] memory c;
        c[0] = _column("weight");
        c[1] = _column("fees");
        c[2] = _column("pressures");
        c[3] = _column("cap");
        c[4] = _column("target");
        c[5] = _column("least");
        c[6] = _column("most");
        uint256[] memory next = _column("next");
        uint256[] memory epochs = _column("epochs");
        uint256[] memory rested = _column("rested");
        for (uint256 i; i < next.length; ++i) {
            Inputs memory inputs = Inputs(c[0][i], c[1][i], c[2][i], c[3][i] / 1e12, c[4][i], c[5][i], c[6][i]);
            assertEq(_next(inputs), next[i]);
            assertEq(rules.rested(c[0][i], epochs[i]), rested[i]);
        }
    }

    /* PROMISES */

    function testFuzz_Next_StaysWithinBoundsAndAnEighth(Inputs memory i) external view {
        _bounded(i);
        uint256 next = _next(i);
        assertGe(next, i.least);
        assertLe(next, i.most);
        assertLe(next > i.weight ? next - i.weight : i.weight - next, i.weight / 8);
    }

    /// @dev The rule with one signed fraction instead of two halves: w' − w = w · (u − t) / (8t) − (w − 1) / 8.
    function testFuzz_Next_IsTheRuleOfTheDocument(Inputs memory i) external view {
        _bounded(i);
        int256 w = int256(i.weight);
        int256 t = int256(i.target);
        int256 u = int256((i.pressures + i.cap * i.target) / (i.fees + i.cap));
        int256 moved = w + (w * (u - t) - t * (w - int256(ONE))) / (8 * t);
        int256 step = w / 8;
        if (moved > w + step) moved = w + step;
        if (moved < w - step) moved = w - step;
        if (moved < int256(i.least)) moved = int256(i.least);
        if (moved > int256(i.most)) moved = int256(i.most);
        assertApproxEqAbs(int256(_next(i)), moved, 2, "but for the rounding of the two halves");
    }

    function testFuzz_Next_RisesWithThePressure(Inputs memory i, uint256 more) external view {
        _bounded(i);
        uint256 low = _next(i);
        i.pressures = bound(more, i.pressures, i.fees * ONE);
        assertGe(_next(i), low);
    }

    function testFuzz_Next_AtTheTargetOnlyComesBack(Inputs memory i) external view {
        _bounded(i);
        i.pressures = i.fees * i.target;
        uint256 next = _next(i);
        if (i.weight >= ONE) assertEq(next, _clamp(i.weight - (i.weight - ONE) / 8, i.least, i.most));
        else assertEq(next, _clamp(i.weight + (ONE - i.weight) / 8, i.least, i.most));
        if (i.weight == ONE) assertEq(next, ONE);
    }

    /// @dev However many epochs are skipped, it is what one after another would have done.
    function testFuzz_Rested_IsManyEpochsAtOnce(uint256 weight, uint256 epochs) external view {
        weight = bound(weight, ONE / 2, 4 * ONE);
        epochs = bound(epochs, 0, 300);
        uint256 slow = weight;
        for (uint256 i; i < epochs; ++i) {
            slow = rules.next(slow, 0, 0, 1e6, ONE / 4, ONE / 2, 4 * ONE);
        }
        uint256 fast = rules.rested(weight, epochs);
        assertApproxEqAbs(fast, slow, 8, "each step of the slow way rounds towards where it was");
        if (weight >= ONE) assertTrue(fast >= ONE && fast <= weight);
        else assertTrue(fast <= ONE && fast >= weight);
    }

    function testFuzz_Pressure_IsWithinZeroAndOne(uint96 price, uint96 least, uint96 more, uint256 target)
        external
        view
    {
        target = bound(target, ONE / 4, ONE / 2);
        uint256 u = rules.pressure(price, least, uint256(least) + more, target);
        assertLe(u, ONE);
        if (more == 0) assertEq(u, target);
    }

    /* EDGES */

    function test_Pressure_AtBothEndsOfTheRamp() external view {
        assertEq(rules.pressure(10, 10, 30, ONE / 4), 0);
        assertEq(rules.pressure(11, 10, 30, ONE / 4), ONE / 20);
        assertEq(rules.pressure(29, 10, 30, ONE / 4), ONE * 19 / 20);
        assertEq(rules.pressure(30, 10, 30, ONE / 4), ONE);
    }

    function test_Rested_Leaves255EpochsAndNothingAfter() external view {
        // (7/8)^255 of three is some 5e-15, less than the smallest weight: the sum is exact there and above.
        assertEq(rules.rested(4 * ONE, 254), ONE);
        assertEq(rules.rested(4 * ONE, 255), ONE);
        assertEq(rules.rested(4 * ONE, 256), ONE);
        assertEq(rules.rested(4 * ONE, type(uint32).max), ONE);
        assertEq(rules.rested(ONE / 2, type(uint32).max), ONE);
        assertEq(rules.rested(ONE, 17), ONE);
        assertEq(rules.rested(2 * ONE, 0), 2 * ONE);
        assertEq(rules.rested(2 * ONE, 1), ONE + ONE * 7 / 8);
    }

    function test_Clamp_OnBothSides() external view {
        assertEq(rules.clamp(4, 5, 7), 5);
        assertEq(rules.clamp(5, 5, 7), 5);
        assertEq(rules.clamp(7, 5, 7), 7);
        assertEq(rules.clamp(8, 5, 7), 7);
    }
}
