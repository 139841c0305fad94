// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJobViews} from "src-contracts/interfaces/IJobs.sol";
import {Params} from "src-contracts/types/Params.sol";
import {PanelTest} from "test/contracts/lib/PanelTest.sol";
import {Terms} from "test/contracts/lib/Readable.sol";

/// @dev What a policy costs and catches, as the chain says it. The sdk computes the same, and simulates it with a seed.
contract AssuranceTest is PanelTest {
    Terms private t;

    /// @dev The protocol audits 2 % of every runtime.
    function _params() internal view override returns (Params memory p) {
        p = super._params();
        p.auditRates = 0xaaa8;
    }

    function setUp() public override {
        super.setUp();
        t = _panelTerms();
        (t.seats, t.window) = (1, 2 minutes);
    }

    function test_AssuranceOf_OneSeatIsAuditedAtBothRates() external {
        t.auditBps = 500;
        _assertWorth(1000, 10_500, 200, 630);
        t.auditBps = 10_000; // the protocol's part comes first
        _assertWorth(0, 19_800, 200, 10_000);
        _assertWorth(10_000, 19_800, 200, 0);
    }

    function test_AssuranceOf_TheProtocolPaysNothingInOtherCurrenciesOrForChosenNodes() external {
        t.auditBps = 500;
        t.currency = address(usd);
        _assertWorth(1000, 10_500, 0, 450);
        (t.currency, t.node) = (address(dpu), alice.id);
        _assertWorth(1000, 10_500, 0, 450);
        (t.node, t.auditBps, t.direct) = (0, 0, true);
        _assertWorth(0, 10_000, 0, 0);
    }

    function test_AssuranceOf_SeveralSeatsAreAMajority() external {
        t.seats = 3;
        _assertWorth(2000, 30_000, 0, 6400); // 0.8²
        t.seats = 5;
        _assertWorth(2000, 50_000, 0, 8192); // 0.8⁴ + 4 · 0.2 · 0.8³
        _assertWorth(0, 50_000, 0, 10_000);
        _assertWorth(10_000, 50_000, 0, 0);
    }

    function test_AssuranceOf_TolerantSeatsNeedOneHonestChallenger() external {
        (t.seats, t.tolerant) = (3, true);
        _assertWorth(4000, 30_000, 0, 8400); // 1 - 0.4²
        t.seats = 5;
        _assertWorth(4000, 50_000, 0, 9744); // 1 - 0.4⁴
        t.window = 0; // nobody may challenge
        _assertWorth(0, 50_000, 0, 0);
    }

    function test_RevertWhen_AssuranceOf_MoreThanAllCollude() external {
        _assertWorth(10_000, 10_000, 200, 0);
        vm.expectRevert(abi.encodeWithSelector(IJobViews.ShareInvalid.selector, 10_001));
        market.assuranceOf(t.pack(), 10_001);
    }

    function _assertWorth(uint256 colluding, uint256 cost, uint256 pooled, uint256 caught) private view {
        (uint256 cost_, uint256 pooled_, uint256 caught_) = market.assuranceOf(t.pack(), colluding);
        assertEq(abi.encode(cost_, pooled_, caught_), abi.encode(cost, pooled, caught));
    }
}
