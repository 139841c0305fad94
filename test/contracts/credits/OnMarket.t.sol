// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IReceipts} from "src-contracts/interfaces/IReceipts.sol";
import {Result} from "src-contracts/types/Lease.sol";
import {ICredits} from "test/contracts/credits/CreditsTest.sol";
import {PanelTest} from "test/contracts/lib/PanelTest.sol";
import {Lease, Packing, Terms} from "test/contracts/lib/Readable.sol";

/// @dev Credits on the Market itself: what it settles is minted for once. A shard costs 2 DPU, its fee is 0.06, its thousand units are worth 0.01.
contract CreditsOnMarketTest is PanelTest {
    ICredits private credits;

    function setUp() public override {
        super.setUp();
        bytes memory args = abi.encode(market, dpu, governor, uint24(1 days));
        credits = ICredits(vm.deployCode("ComputeCredits.sol:ComputeCredits", args));
        vm.prank(governor);
        market.setCredits(address(credits));
    }

    function _parts(Work[] memory works) private pure returns (Lease[] memory leases, Result[] memory results) {
        (leases, results) = (new Lease[](works.length), new Result[](works.length));
        for (uint256 i; i < works.length; ++i) {
            (leases[i], results[i]) = (works[i].l, works[i].r);
        }
    }

    function test_SettleAndMint_PaysTheNodeAndItsCredits() external {
        Terms memory t = _terms();
        (t.node, t.expiry) = (0, uint40(_now() + 1 hours));
        _post(t);
        _pass(30 minutes, 2);
        Work[] memory works = new Work[](1);
        works[0] = _claim(t, alice, 1);
        works[0].r.units = 1_000;
        _show(works[0]);
        _pass(t.window + 1, 1);
        (Lease[] memory leases, Result[] memory results) = _parts(works);

        assertEq(credits.settleAndMint(t.pack(), Packing.pack(leases), results), 0.01e18);

        assertEq(credits.balanceOf(alice.owner), 0.01e18);
        assertEq(_balance(address(dpu), alice.owner), 2e18 - 0.06e18, "and the price, less the fee");
        vm.expectRevert(abi.encodeWithSelector(IReceipts.ReceiptUnknown.selector, works[0].id, 0));
        credits.mint(t.pack(), Packing.pack(leases), results);
    }

    function test_MintPanel_PaysEverySeat() external {
        Work[] memory seats = _seated(_panelTerms());
        for (uint256 i; i < 3; ++i) {
            seats[i].r.units = 1_000;
        }
        _commitAll(seats);
        _agree(seats);
        (Lease[] memory leases, Result[] memory results) = _parts(seats);

        assertEq(credits.mintPanel(seats[0].t.pack(), Packing.pack(leases), results), 0.03e18);

        assertEq(credits.balanceOf(alice.owner), 0.01e18);
        assertEq(credits.balanceOf(bob.owner), 0.01e18);
        assertEq(credits.balanceOf(carol.owner), 0.01e18);
        vm.expectRevert(abi.encodeWithSelector(IReceipts.ReceiptUnknown.selector, seats[0].id, 0));
        credits.mintPanel(seats[0].t.pack(), Packing.pack(leases), results);
    }

    function test_Credits_PayForAJob() external {
        vm.prank(governor);
        market.allowCurrency(address(credits), true);
        dpu.approve(address(credits), 10e18);
        credits.buy(10e18, address(this), 10e18);
        credits.approve(address(market), 10e18);
        market.deposit(address(credits), requester, 10e18);

        Terms memory t = _terms();
        t.currency = address(credits);
        Work memory w = _claimed(t);
        _show(w);
        _pass(t.window + 1, 1);
        _settle(w);
        assertEq(_balance(address(credits), alice.owner), uint256(w.l.price) * 97 / 100);
    }
}
