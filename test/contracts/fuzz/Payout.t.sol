// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Params} from "src-contracts/types/Params.sol";
import {MarketTest} from "test/contracts/lib/MarketTest.sol";
import {Terms} from "test/contracts/lib/Readable.sol";

/// @dev Money is neither made nor lost, whatever the numbers.
contract PayoutFuzzTest is MarketTest {
    struct Seed {
        uint32 shards;
        uint16 maxLease;
        uint96 minPrice;
        uint96 maxPrice;
        uint32 ramp;
        uint32 wait;
        uint16 feeBps;
        uint16 claims;
        bool direct;
    }

    function _drawnUp(Seed memory s) private returns (Terms memory t) {
        Params memory p = _params();
        p.feeBps = uint16(bound(s.feeBps, 0, 1_000));
        vm.prank(governor);
        uint16 version = market.addParams(p);
        t = _inUsd(s.direct ? _direct() : _terms());
        t.rules = _rules(version);
        t.shards = uint32(bound(s.shards, 1, 40));
        t.maxLease = uint16(bound(s.maxLease, 1, 40));
        t.maxPrice = uint96(bound(s.maxPrice, 1, 1_000e6));
        t.minPrice = uint96(bound(s.minPrice, 0, t.maxPrice));
        t.ramp = uint32(bound(s.ramp, 0, 1 hours));
        t.expiry = uint40(_now() + 1 days);
    }

    function testFuzz_Payout_PriceFeeAndRefundAreTheEscrow(Seed memory s) external {
        Terms memory t = _drawnUp(s);
        uint256 before = _balance(address(usd), requester);
        bytes32 id = _post(t);
        uint256 escrow = uint256(t.shards) * t.maxPrice;
        assertEq(before - _balance(address(usd), requester), escrow, "escrow");
        vm.warp(_now() + bound(s.wait, 0, 1 hours));

        uint256 gross;
        uint256 fees;
        uint256 done;
        for (uint256 i; i < bound(s.claims, 1, 5) && done < t.shards; ++i) {
            Work memory w = _claim(t, alice, t.maxLease);
            assertTrue(w.l.price >= t.minPrice && w.l.price <= t.maxPrice, "price within its bounds");
            _show(w);
            _pass(t.window + 1, 1);
            _settle(w);
            uint256 part = uint256(w.l.price) * w.l.count;
            gross += part;
            fees += part * t.rules.feeBps() / 10_000;
            done += w.l.count;
        }
        vm.warp(uint256(t.expiry) + 1);
        if (done < t.shards) market.close(t.pack());

        assertEq(_balance(address(usd), alice.owner), gross - fees, "node");
        assertEq(_fees(address(usd)), fees, "fees");
        assertEq(before - _balance(address(usd), requester), gross, "requester paid the price and no more");
        assertEq(market.job(id).left, 0);
        assertEq(usd.balanceOf(address(market)), 1_000_000e6, "all of it is still here");
    }

    /// @dev Ten leases of one shard never pay more than one lease of ten, and what is lost to rounding is the fee's.
    function testFuzz_Payout_SplittingALeaseGainsLessThanAUnitEach(uint96 price, uint16 feeBps) external {
        Seed memory s;
        (s.shards, s.maxLease, s.minPrice, s.maxPrice, s.feeBps, s.direct) = (10, 10, price, price, feeBps, true);
        Terms memory t = _drawnUp(s);
        t.minPrice = t.maxPrice;
        _settled(t);
        uint256 whole = _balance(address(usd), alice.owner);

        t = _drawnUp(s);
        (t.maxLease, t.minPrice) = (1, t.maxPrice);
        _post(t);
        for (uint256 i; i < 10; ++i) {
            _accept(_claim(t, alice, 1));
        }
        uint256 parts = _balance(address(usd), alice.owner) - whole;
        assertGe(parts, whole, "each fee rounds down by itself");
        assertLt(parts - whole, 10, "by less than a unit");
    }

    function testFuzz_Price_NeverFallsAndStaysInItsBounds(Seed memory s, uint32 later) external {
        Terms memory t = _drawnUp(s);
        _post(t);
        uint256 at = _now() + s.wait;
        uint96 price = market.priceAt(t.pack(), at);
        assertTrue(price >= t.minPrice && price <= t.maxPrice, "bounds");
        assertGe(market.priceAt(t.pack(), at + later), price, "never falls");
        assertEq(market.priceAt(t.pack(), _now()), t.minPrice, "begins at the least");
        assertEq(market.priceAt(t.pack(), _now() + t.ramp + 1), t.maxPrice, "ends at the most");
    }

    /// @dev Slash parts sum to the slash; the retry is whole gwei; the record falls and stays positive.
    function testFuzz_Slash_PartsAreTheWhole(uint96 bond, uint16 noShow, uint16 burn, uint16 retry, bool withheld)
        external
    {
        Params memory p = _params();
        p.noShowBps = uint16(bound(noShow, 100, 10_000));
        p.burnBps = uint16(bound(burn, 1_000, 10_000));
        p.retryBps = uint16(bound(retry, 0, 10_000 - p.burnBps));
        vm.prank(governor);
        uint16 version = market.addParams(p);
        Terms memory t = _inUsd(_terms());
        (t.bond, t.rules) = (uint96(bound(bond, 0, STAKE)), _rules(version));
        Work memory w = withheld ? _committed(t) : _claimed(t);
        uint256 supply = dpu.totalSupply();
        vm.warp(_now() + 1 days);
        market.lapse(t.pack(), w.l.pack());

        uint256 lost = withheld ? t.bond : uint256(t.bond) * p.noShowBps / 10_000;
        uint256 bonus = (market.leaseWord(w.id, 0) & type(uint64).max) * 1 gwei;
        assertEq(market.node(alice.id).stake, STAKE - lost, "stake");
        assertEq(supply - dpu.totalSupply() + bonus + _balance(address(dpu), treasury), lost, "burnt + retry + kept");
        assertLe(bonus, lost * p.retryBps / 10_000, "rounds down");
        assertGt(_record(alice), 0);
    }
}
